package resp

import "fanfare/kv"

func init() {
	register(
		&command{
			name: "get", arity: 2, flags: flagReadonly | flagFast, keys: oneKey("RO access"),
			acl: "string", group: "string", since: "1.0.0", complexity: "O(1)",
			summary: "Returns the string a key holds.",
			run:     get,
		},
		&command{
			name: "set", arity: -3, flags: flagWrite | flagDenyOOM, keys: oneKey("RW access update variable_flags"),
			acl: "string", group: "string", since: "1.0.0", complexity: "O(1)",
			summary: "Stores a string under a key, perhaps with a time to live or only under a condition.",
			run:     set,
		},
	)
}

func get(x *call) {
	value, ok, err := x.tx.Get(x.db, x.args[1])
	switch {
	case err != nil:
		x.fail(err)
	case !ok:
		x.w.Null()
	default:
		x.w.Bulk(value)
	}
}

// set stores a value: SET key value [NX | XX] [GET]
// [EX s | PX ms | EXAT unix-s | PXAT unix-ms | KEEPTTL].
func set(x *call) {
	options, ok := setOptions(x)
	if !ok {
		return
	}
	result, err := x.tx.Set(x.db, x.args[1], x.args[2], options)
	switch {
	case err != nil:
		x.fail(err)
	case options.Get && result.Existed:
		x.w.Bulk(result.Old)
	case options.Get || !result.Done:
		x.w.Null()
	default:
		x.w.OK()
	}
}

// setLife is one way to say how long a value lives. Two different ones exclude
// each other; of the same one the last counts.
type setLife struct {
	name     string
	unit     kv.Unit
	absolute bool
}

var setLives = []setLife{
	{"EX", kv.Seconds, false},
	{"PX", kv.Milliseconds, false},
	{"EXAT", kv.Seconds, true},
	{"PXAT", kv.Milliseconds, true},
}

// setOptions reads what follows key and value. When it returns false it has
// replied with an error. As in Redis every option is looked at before any number is.
func setOptions(x *call) (o kv.SetOptions, ok bool) {
	var life *setLife
	var amount []byte
	for i := 3; i < len(x.args); i++ {
		switch next := x.life(i); {
		case x.option(i, "NX") && o.Condition != kv.SetXX:
			o.Condition = kv.SetNX
		case x.option(i, "XX") && o.Condition != kv.SetNX:
			o.Condition = kv.SetXX
		case x.option(i, "GET"):
			o.Get = true
		case x.option(i, "KEEPTTL") && life == nil:
			o.KeepTTL = true
		case next != nil && i+1 < len(x.args) && !o.KeepTTL && (life == nil || life == next):
			life = next
			i++
			amount = x.args[i]
		default:
			x.syntaxError()
			return o, false
		}
	}
	if life == nil {
		return o, true
	}
	o.Deadline, ok = x.deadline(life, amount)
	return o, ok
}

// life returns the way to live that argument i names, or nil.
func (x *call) life(i int) *setLife {
	for j := range setLives {
		if x.option(i, setLives[j].name) {
			return &setLives[j]
		}
	}
	return nil
}

// deadline turns the number behind a life into Unix milliseconds. When it
// returns false it has replied with an error.
func (x *call) deadline(life *setLife, amount []byte) (int64, bool) {
	n, err := kv.ParseInt(amount)
	if err != nil {
		x.fail(err)
		return 0, false
	}
	base := x.tx.Now()
	if life.absolute {
		base = 0
	}
	deadline, err := kv.SetDeadline(n, life.unit, base)
	if err != nil {
		x.expireTimeError()
		return 0, false
	}
	return deadline, true
}

// expireTimeError replies for a time to live that cannot be, naming the command.
func (x *call) expireTimeError() {
	x.w.Error("ERR invalid expire time in '" + x.cmd.full + "' command")
}
