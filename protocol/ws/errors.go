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
	faultNotJSON     = &fault{400, "not a JSON object on one line"}
	faultNoVerb      = &fault{400, "no verb: one of auth, history, join, leave, ping, psub, pub, punsub, sub, unretain, unsub, who"}
	faultTwoVerbs    = &fault{400, "more than one verb"}
	faultID          = &fault{400, "id is neither a number nor a string, or has more than 64 bytes"}
	faultEcho        = &fault{400, "echo is neither true nor false"}
	faultRetain      = &fault{400, "retain is neither true nor false"}
	faultRetained    = &fault{400, "retained is neither true nor false"}
	faultTTL         = &fault{400, "ttl is not a number of seconds from 0.001 to 1000000000"}
	faultTTLAlone    = &fault{400, "ttl without retain"}
	faultKey         = &fault{400, "key is not a string of 1 to 128 bytes"}
	faultKeyAlone    = &fault{400, "key with history false"}
	faultLast        = &fault{400, "last is not a whole number from 1 to 100000"}
	faultLimit       = &fault{400, "limit is not a whole number from 1 to 1000"}
	faultBefore      = &fault{400, "before is not a whole number"}
	faultOffset      = &fault{400, "offset is not a whole number"}
	faultEpoch       = &fault{400, "epoch is not a string"}
	faultCursor      = &fault{400, "epoch and offset are needed together"}
	faultPatternLast = &fault{400, "last is not for patterns"}
	faultPatternWho  = &fault{400, "who is not for patterns"}
	faultNoID        = &fault{400, "the question has no id to be answered with"}
	faultNames       = &fault{400, "the channel is neither a string nor an array of strings"}
	faultManyNames   = &fault{400, "more than 1000 channels"}
	faultName        = &fault{400, "the channel is not a string"}
	faultEmptyName   = &fault{400, "the name is empty"}
	faultControl     = &fault{400, "the name has control characters"}
	faultNoData      = &fault{400, "neither data nor b64"}
	faultTwoData     = &fault{400, "both data and b64"}
	faultBase64      = &fault{400, "b64 is not base64"}
	faultPing        = &fault{400, "ping is neither a number nor a string, or has more than 64 bytes"}
	faultInternal    = &fault{500, "internal error"}
	faultMember      = &fault{413, "the data of the member is too large"}
	faultRate        = &fault{429, "too many requests"}
	faultNameLength  = &fault{400, "the name is too long"}
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
	{broker.ErrReserved, &fault{403, "the channel is reserved"}},
	{broker.ErrNoRetained, &fault{404, "retained messages are disabled for this channel"}},
	{broker.ErrNoHistory, &fault{404, "history is not enabled for this channel"}},
	{broker.ErrNoPresence, &fault{404, "presence is not enabled for this channel"}},
	{broker.ErrStateFull, &fault{503, "the broker has no room for more retained messages and members"}},
	{broker.ErrTooManySubscriptions, &fault{429, "too many subscriptions"}},
	{broker.ErrTooManyJoins, &fault{429, "too many members"}},
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
