package ws

import (
	"fanfare/protocol/payload"
)

// maxID is how many bytes an id may have.
const maxID = 64

// request is one line of a frame. Its slices are views of the line: JSON text
// that payload.Scan has accepted, nil where the member is missing.
type request struct {
	cmd   *command
	value []byte // of the verb's member
	id    []byte
	data  []byte
	b64   []byte

	options
	blanks bool   // data has blanks between its tokens
	verbs  int    // members that are verbs
	fault  *fault // the first thing wrong with a member
}

// parse reads the line. A fault says why it is no request that can be run; as
// far as they were found, r has the members, so that the answer can name verb
// and id. Of a member that is given twice the last counts, except for verbs.
func (r *request) parse(line []byte) *fault {
	*r = request{}
	i := payload.Blanks(line)
	if i == len(line) || line[i] != '{' {
		return faultNotJSON
	}
	i++
	for first := true; ; first = false {
		i += payload.Blanks(line[i:])
		if i == len(line) {
			return r.broken()
		}
		if line[i] == '}' && first {
			i++
			break
		}
		n, ok := r.member(line[i:])
		if !ok {
			return r.broken()
		}
		i += n
		if line[i] == '}' {
			i++
			break
		}
		i++
	}
	if i+payload.Blanks(line[i:]) != len(line) {
		return r.broken()
	}
	return r.check()
}

// broken forgets what was read of a line that turned out not to be JSON: an id
// in it may be anybody's.
func (r *request) broken() *fault {
	*r = request{}
	return faultNotJSON
}

func (r *request) check() *fault {
	switch {
	case r.fault != nil:
		return r.fault
	case r.verbs == 0:
		return faultNoVerb
	case r.verbs > 1:
		return faultTwoVerbs
	}
	return nil
}

// member reads `"key": value` at the beginning of b, and returns its length
// with the blanks behind it. Invariant: b[n] is a comma or a closing brace.
func (r *request) member(b []byte) (n int, ok bool) {
	if b[0] != '"' {
		return 0, false
	}
	n, _, ok = payload.Scan(b)
	if !ok {
		return 0, false
	}
	key := b[:n]
	n += payload.Blanks(b[n:])
	if n == len(b) || b[n] != ':' {
		return 0, false
	}
	n++
	n += payload.Blanks(b[n:])
	size, blanks, ok := payload.Scan(b[n:])
	if !ok {
		return 0, false
	}
	r.set(payload.Unquote(key), b[n:n+size], blanks)
	n += size
	n += payload.Blanks(b[n:])
	return n, n < len(b) && (b[n] == ',' || b[n] == '}')
}

// set takes a member. Keys that are neither known nor a verb are ignored, so
// that a newer client can talk to an older broker.
func (r *request) set(key, value []byte, blanks bool) {
	switch string(key) {
	case "id":
		if !isID(value) {
			r.fail(faultID)
			return
		}
		r.id = value
	case "data":
		r.data, r.blanks = value, blanks
	case "b64":
		r.b64 = value
	default:
		if known, f := r.option(key, value); known {
			r.fail(f)
		} else if cmd := commands[string(key)]; cmd != nil {
			r.cmd, r.value = cmd, value
			r.verbs++
		}
	}
}

func (r *request) fail(f *fault) {
	if r.fault == nil {
		r.fault = f
	}
}

// isID says whether the value is a number or a string short enough to be given
// back with every answer.
func isID(value []byte) bool {
	switch c := value[0]; {
	case c == '"':
		// Only escapes are longer in JSON than they are as a string.
		return len(value) <= 2+6*maxID && len(payload.Unquote(value)) <= maxID
	case c == '-', c >= '0' && c <= '9':
		return len(value) <= maxID
	}
	return false
}

// names appends the names in the verb's value, a string or an array of
// strings, and reports false where it is neither, or the array is empty.
func (r *request) names(dst []string) ([]string, bool) {
	v := r.value
	switch v[0] {
	case '"':
		return append(dst, string(payload.Unquote(v))), true
	case '[':
	default:
		return dst, false
	}
	for i := 1; ; i++ { // behind the bracket or a comma
		i += payload.Blanks(v[i:])
		if v[i] != '"' {
			return dst, false
		}
		n, _, _ := payload.Scan(v[i:])
		dst = append(dst, string(payload.Unquote(v[i:i+n])))
		i += n
		i += payload.Blanks(v[i:])
		if v[i] == ']' {
			return dst, true
		}
	}
}

// name returns the one name a verb's value must be.
func (r *request) name() (string, bool) {
	if r.value[0] != '"' {
		return "", false
	}
	return string(payload.Unquote(r.value)), true
}
