package kv

// embedded is up to how many bytes Redis keeps a string in one block with its head.
const embedded = 44

// Encoding returns Redis' name for how a key's value is kept (OBJECT ENCODING); ok is
// false if it does not exist. It is no use of the key.
func (t *Tx) Encoding(db int, key []byte) (name string, ok bool) {
	e := t.live(t.find(db, key))
	if e == nil {
		return "", false
	}
	if o := e.object(); o != nil {
		return o.encoding(), true
	}
	return e.encoding(), true
}

// encoding is the name that Redis would give, by the value. All strings are kept
// alike here, in one block with their key, so the name tells nothing of the
// memory; but tools and people look for numbers that are not kept as such. Nor does it
// tell, as Redis' does, that APPEND or SETRANGE made the value.
func (e *entry) encoding() string {
	value := e.value()
	if _, err := ParseInt(value); err == nil {
		return "int"
	}
	if len(value) <= embedded {
		return "embstr"
	}
	return "raw"
}
