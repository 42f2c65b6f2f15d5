package ws

import (
	"strconv"
	"time"

	"fanfare/broker"
	"fanfare/protocol/payload"
)

// Bounds of what a request may ask for.
const (
	maxLast  = 100_000
	maxLimit = 1000
	maxKey   = 128
	// maxTTL is some thirty years, which a time.Duration can hold.
	maxTTL = 1_000_000_000
)

// options are the members that change what a verb does. A zero means that the
// member is missing, or says what holds without it.
type options struct {
	noEcho     bool          // "echo":false
	retain     bool          // "retain":true
	noRetained bool          // "retained":false
	noHistory  bool          // "history":false
	who        bool          // "who":true
	hasOffset  bool          // offset, which may be 0, was given
	hasBefore  bool          // before, which may be 0, was given
	last       int           // newest messages of the history
	limit      int           // of an answer
	ttl        time.Duration // of the retained message
	offset     uint64        // with epoch: where the client was
	before     uint64
	epoch      []byte // JSON text, nil where the member is missing
	key        []byte // the same
}

// option takes a member if it is an option, known or not for the request's
// verb, and says what is wrong with its value. Two names are both: history and
// who are options where their value is true or false, and verbs where it is a
// channel.
func (o *options) option(key, value []byte) (known bool, f *fault) {
	switch string(key) {
	case "echo":
		return true, setSwitch(&o.noEcho, value, "false", faultEcho)
	case "retain":
		return true, setSwitch(&o.retain, value, "true", faultRetain)
	case "retained":
		return true, setSwitch(&o.noRetained, value, "false", faultRetained)
	case "history":
		return setSwitch(&o.noHistory, value, "false", faultName) == nil, nil
	case "who":
		return setSwitch(&o.who, value, "true", faultName) == nil, nil
	case "last":
		return true, setCount(&o.last, value, maxLast, faultLast)
	case "limit":
		return true, setCount(&o.limit, value, maxLimit, faultLimit)
	case "ttl":
		return true, o.setTTL(value)
	case "before":
		o.hasBefore = true
		return true, setOffset(&o.before, value, faultBefore)
	case "offset":
		o.hasOffset = true
		return true, setOffset(&o.offset, value, faultOffset)
	case "epoch":
		return true, setText(&o.epoch, value, faultEpoch)
	case "key":
		return true, o.setKey(value)
	}
	return false, nil
}

// setSwitch sets dst to whether the value, true or false, is on.
func setSwitch(dst *bool, value []byte, on string, f *fault) *fault {
	switch string(value) {
	case "true", "false":
		*dst = string(value) == on
		return nil
	}
	return f
}

func setCount(dst *int, value []byte, most int, f *fault) *fault {
	n, ok := whole(value)
	if !ok || n == 0 || n > uint64(most) {
		return f
	}
	*dst = int(n)
	return nil
}

func setOffset(dst *uint64, value []byte, f *fault) *fault {
	n, ok := whole(value)
	if !ok {
		return f
	}
	*dst = n
	return nil
}

func setText(dst *[]byte, value []byte, f *fault) *fault {
	if value[0] != '"' {
		return f
	}
	*dst = value
	return nil
}

func (o *options) setKey(value []byte) *fault {
	// Only escapes are longer in JSON than they are as a string.
	if value[0] != '"' || len(value) > 2+6*maxKey {
		return faultKey
	}
	if n := len(payload.Unquote(value)); n == 0 || n > maxKey {
		return faultKey
	}
	o.key = value
	return nil
}

// setTTL takes seconds, with a fraction or without. What would be nothing in
// milliseconds is refused.
func (o *options) setTTL(value []byte) *fault {
	seconds, err := strconv.ParseFloat(string(value), 64)
	if err != nil || seconds > maxTTL {
		return faultTTL
	}
	o.ttl = time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)
	if o.ttl <= 0 {
		return faultTTL
	}
	return nil
}

// whole reads a number without sign, fraction and exponent.
func whole(value []byte) (n uint64, ok bool) {
	const digits = 19 // any number of so many fits
	if len(value) > digits {
		return 0, false
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + uint64(c-'0')
	}
	return n, true
}

// resume is what a new subscription asks to be replayed.
func (o *options) resume(k broker.Kind) (broker.Resume, *fault) {
	switch {
	case k == broker.KindPattern && o.last != 0:
		return broker.Resume{}, faultPatternLast
	case k == broker.KindPattern && o.who:
		return broker.Resume{}, faultPatternWho
	case o.hasOffset != (o.epoch != nil):
		return broker.Resume{}, faultCursor
	}
	r := broker.Resume{Last: o.last, NoRetained: o.noRetained}
	if o.hasOffset {
		r.Since = &broker.Position{Epoch: string(payload.Unquote(o.epoch)), Offset: o.offset}
	}
	return r, nil
}

// publication sets what the options say about a message.
func (o *options) publication(m *broker.Message) *fault {
	if o.ttl != 0 && !o.retain {
		return faultTTLAlone
	}
	if o.key != nil && o.noHistory {
		return faultKeyAlone
	}
	m.NoEcho, m.Retain, m.TTL, m.NoHistory = o.noEcho, o.retain, o.ttl, o.noHistory
	if o.key != nil {
		m.Key = string(payload.Unquote(o.key))
	}
	return nil
}
