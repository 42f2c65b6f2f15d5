package kv

// Type is the type of the value a key holds.
type Type uint8

// The types.
const (
	TypeNone   Type = iota // no such key
	TypeString             // bytes
	TypeHash               // fields, each with a value
	TypeList               // elements in order, reached from both ends
	TypeSet                // members
	TypeSorted             // members in the order of their scores
)

var typeNames = [...]string{"none", "string", "hash", "list", "set", "zset"}

// String returns the type's name as the command TYPE answers it.
func (t Type) String() string { return typeNames[t] }

// Key names a key of a database.
type Key struct {
	DB  int
	Key []byte
}
