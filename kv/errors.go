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

	// ErrNotFloat says that a number is not one that C's strtold reads.
	ErrNotFloat = errors.New("ERR value is not a valid float")

	// ErrNaN says that a score would have become the sum of two opposite infinities.
	ErrNaN = errors.New("ERR resulting score is not a number (NaN)")

	// ErrScoreBound says that one end of a range of scores is none.
	ErrScoreBound = errors.New("ERR min or max is not a float")

	// ErrMemberBound says that one end of a range of members is none.
	ErrMemberBound = errors.New("ERR min or max not valid string range item")

	// ErrOverflow says that a sum does not fit into a signed 64-bit number.
	ErrOverflow = errors.New("ERR increment or decrement would overflow")

	// ErrInfinite says that a sum of floating point numbers is none.
	ErrInfinite = errors.New("ERR increment would produce NaN or Infinity")

	// ErrHashInteger says that a field of a hash does not hold a number as ErrNotInteger has it.
	ErrHashInteger = errors.New("ERR hash value is not an integer")

	// ErrHashFloat says that a field of a hash does not hold a number as ErrNotFloat has it.
	ErrHashFloat = errors.New("ERR hash value is not a float")

	// ErrNotFinite says that what is to be added to a field of a hash is infinity.
	ErrNotFinite = errors.New("ERR value is NaN or Infinity")

	// ErrStringTooLong says that a string would have become longer than Config.MaxString.
	ErrStringTooLong = errors.New("ERR string exceeds maximum allowed size (proto-max-bulk-len)")

	// ErrNoKey says that the key to rename does not exist.
	ErrNoKey = errors.New("ERR no such key")

	// ErrIndex says that a list has no element at an index.
	ErrIndex = errors.New("ERR index out of range")

	// ErrOOM says that the write would have grown the store over Config.MaxMemory. Nothing was changed.
	ErrOOM = errors.New("OOM command not allowed when used memory > 'maxmemory'.") //nolint:staticcheck,revive // Redis' text has the full stop

	// ErrCounted says that the eviction policy counts how often keys are used, so that nothing is
	// known of when.
	ErrCounted = errors.New("ERR An LFU maxmemory policy is selected, idle time not tracked. " + //nolint:staticcheck,revive // Redis' text
		"Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.")

	// ErrNotCounted says that the eviction policy does not count how often keys are used.
	ErrNotCounted = errors.New("ERR An LFU maxmemory policy is not selected, access frequency not tracked. " + //nolint:staticcheck,revive // Redis' text
		"Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.")

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
