package resp

import (
	"math"
	"time"
)

func clientPause(x *call) {
	all := true
	switch {
	case len(x.args) > 4:
		x.wrongSubcommandArgs()
		return
	case len(x.args) == 3 || x.option(3, "ALL"):
	case x.option(3, "WRITE"):
		all = false
	default:
		x.w.Error("ERR CLIENT PAUSE mode must be WRITE or ALL")
		return
	}
	timeout, text := parseTimeout(x.args[2])
	if text != "" {
		x.w.Error(text)
		return
	}
	x.conn.server.pause.begin(time.Now().Add(timeout), all)
	x.w.OK()
}

func clientUnpause(x *call) {
	x.conn.server.pause.lift()
	x.w.OK()
}

// parseTimeout reads a number of milliseconds. It returns the text of an error.
func parseTimeout(arg []byte) (time.Duration, string) {
	ms, ok := parseInt(arg)
	switch {
	case !ok:
		return 0, "ERR timeout is not an integer or out of range"
	case ms < 0:
		return 0, "ERR timeout is negative"
	case ms > math.MaxInt64/int64(time.Millisecond):
		return 0, "ERR timeout is out of range"
	}
	return time.Duration(ms) * time.Millisecond, ""
}
