package kv

// Type is the type of the value a key holds.
type Type uint8

// The types. More follow with their commands.
const (
	TypeNone   Type = iota // no such key
	TypeString             // bytes
)

// String returns the type's name as the command TYPE answers it.
func (t Type) String() string {
	if t == TypeString {
		return "string"
	}
	return "none"
}

// Key names a key of a database.
type Key struct {
	DB  int
	Key []byte
}
