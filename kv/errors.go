package kv

import "errors"

// Sentinels for what a client did wrong. The text of each is the line Redis
// answers, code included, without the leading '-' (the last one excepted); clients
// match on it.
var (
	// ErrWrongType says that the key holds another type than the command works on.
	ErrWrongType = errors.New("WRONGTYPE Operation against a key holding the wrong kind of value")

	// ErrNotInteger says that a number is not a signed 64-bit decimal in canonical form.
	ErrNotInteger = errors.New("ERR value is not an integer or out of range")

	// ErrOOM says that the write would have grown the store over Config.MaxMemory. Nothing was changed.
	ErrOOM = errors.New("OOM command not allowed when used memory > 'maxmemory'.") //nolint:staticcheck,revive // Redis' text has the full stop

	// ErrExpireTime says that a time to live is not positive where it must be, or that its deadline
	// does not fit into 64 bits. Redis' line names the command, which only the caller knows:
	// "ERR invalid expire time in 'set' command".
	ErrExpireTime = errors.New("ERR invalid expire time")

	// ErrExpireNX says that EXPIRE's NX came with XX, GT or LT.
	ErrExpireNX = errors.New("ERR NX and XX, GT or LT options at the same time are not compatible")

	// ErrExpireGTLT says that EXPIRE's GT came with LT.
	ErrExpireGTLT = errors.New("ERR GT and LT options at the same time are not compatible")

	// ErrEventClass says that a notify-keyspace-events string has a letter that Redis does not know.
	// Its text is what Redis puts behind "ERR CONFIG SET failed (possibly related to argument
	// 'notify-keyspace-events') - ".
	ErrEventClass = errors.New("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.") //nolint:staticcheck,revive // Redis' text
)
