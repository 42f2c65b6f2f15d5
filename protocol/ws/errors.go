package ws

import (
	"errors"

	"fanfare/broker"
)

// fault is an error as the peer sees it: a code like those of HTTP, and a text
// for the person who reads it. The connection stays.
type fault struct {
	code int
	text string
}

func (f *fault) Error() string { return f.text }

// What can be wrong with a request itself.
var (
	faultNotJSON    = &fault{400, "not a JSON object on one line"}
	faultNoVerb     = &fault{400, "no verb: one of auth, ping, psub, pub, punsub, sub, unsub"}
	faultTwoVerbs   = &fault{400, "more than one verb"}
	faultID         = &fault{400, "id is neither a number nor a string, or has more than 64 bytes"}
	faultEcho       = &fault{400, "echo is neither true nor false"}
	faultNames      = &fault{400, "the channel is neither a string nor an array of strings"}
	faultName       = &fault{400, "the channel is not a string"}
	faultEmptyName  = &fault{400, "the name is empty"}
	faultControl    = &fault{400, "the name has control characters"}
	faultNoData     = &fault{400, "neither data nor b64"}
	faultTwoData    = &fault{400, "both data and b64"}
	faultBase64     = &fault{400, "b64 is not base64"}
	faultPing       = &fault{400, "ping is neither a number nor a string, or has more than 64 bytes"}
	faultInternal   = &fault{500, "internal error"}
	faultNameLength = &fault{400, "the name is too long"}
)

// faults maps what the broker reports to what the peer reads. A test fails for
// a sentinel of the broker that is missing here.
var faults = []struct {
	err   error
	fault *fault
}{
	{broker.ErrDenied, &fault{403, "no permission"}},
	{broker.ErrNameTooLong, faultNameLength},
	{broker.ErrMessageTooLarge, &fault{413, "the message is too large"}},
	{broker.ErrTooManySubscriptions, &fault{429, "too many subscriptions"}},
	{broker.ErrTooManyComplex, &fault{429, "too many patterns with three or more stars"}},
	{broker.ErrEnded, &fault{500, "the session has ended"}},
	{broker.ErrTooManySessions, &fault{503, "the broker has too many connections"}},
	{broker.ErrShuttingDown, &fault{503, "the broker is shutting down"}},
}

// faultOf returns the fault for an error of the broker. The text of an error
// that is not in the table stays out of the answer.
func faultOf(err error) *fault {
	for _, row := range faults {
		if errors.Is(err, row.err) {
			return row.fault
		}
	}
	return faultInternal
}
