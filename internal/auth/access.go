package auth

import "fanfare/broker"

// Access is the function of authorisation, for broker.Config.Access: what the
// rights of id do not cover is denied, and who has none may do nothing. It is safe
// for concurrent use.
func Access(id broker.Identity, a broker.Action, name string) bool {
	return id.Rights != nil && id.Rights.Allows(a, name)
}

// Everything are the rights of those who need no credentials: every action on every
// name.
var Everything broker.Rights = everything{}

type everything struct{}

func (everything) Allows(broker.Action, string) bool { return true }
