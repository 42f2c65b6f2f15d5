package resp

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Texts of CONFIG SET for bad values, as Redis has them.
var (
	errNotNumber    = errors.New("argument couldn't be parsed into an integer")
	errNotMemory    = errors.New("argument must be a memory value")
	errLimitCount   = errors.New("Wrong number of arguments in buffer limit configuration.")                       //nolint:staticcheck,revive // Redis' text
	errLimitClass   = errors.New("Invalid client class specified in buffer limit configuration.")                  //nolint:staticcheck,revive // Redis' text
	errLimitNumber  = errors.New("Error in hard, soft or soft_seconds setting in buffer limit configuration.")     //nolint:staticcheck,revive // Redis' text
	errLimitNormals = errors.New("the class normal has no limit: replies pause the connection that does not read") // ours
)

// parseNumber reads a whole number of a range.
func parseNumber(value string, least, most int64) (int64, error) {
	n, ok := parseInt([]byte(value))
	switch {
	case !ok:
		return 0, errNotNumber
	case n < least || n > most:
		return 0, fmt.Errorf("argument must be between %d and %d inclusive", least, most)
	}
	return n, nil
}

// memoryUnits are the units Redis knows: powers of ten and, with a b, of two.
var memoryUnits = map[string]int64{
	"": 1, "b": 1, "k": 1e3, "kb": 1 << 10, "m": 1e6, "mb": 1 << 20, "g": 1e9, "gb": 1 << 30,
}

// parseMemory reads a number of bytes with or without a unit.
func parseMemory(value string, least, most int64) (int64, error) {
	n, ok := parseBytes(value)
	switch {
	case !ok:
		return 0, errNotMemory
	case n < least || n > most:
		return 0, fmt.Errorf("argument must be between %d and %d inclusive", least, most)
	}
	return n, nil
}

func parseBytes(value string) (int64, bool) {
	digits := strings.TrimRight(strings.ToLower(value), "bkmg")
	unit, known := memoryUnits[strings.ToLower(value)[len(digits):]]
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || !known || int64(n) > math.MaxInt64/unit {
		return 0, false
	}
	return int64(n) * unit, true
}

// bufferLimits prints the classes as Redis does. Replies have no limit: a
// connection that does not read them pauses.
func bufferLimits(_ *Server, now *settings) string {
	return "normal 0 0 0 slave " + now.replicas.String() + " pubsub " + now.pushes.String()
}

func (l bufferLimit) String() string {
	return itoa(l.hard) + " " + itoa(l.soft) + " " + seconds(l.softFor)
}

// setBufferLimits reads groups of class, hard limit, soft limit and seconds.
func setBufferLimits(_ *Server, next *settings, value string) error {
	words := strings.Fields(value)
	if len(words)%4 != 0 {
		return errLimitCount
	}
	for ; len(words) > 0; words = words[4:] {
		class := strings.ToLower(words[0])
		l, ok := parseBufferLimit(words[1:4])
		switch {
		case class != "normal" && class != "slave" && class != "replica" && class != "pubsub":
			return errLimitClass
		case !ok:
			return errLimitNumber
		case class == "pubsub":
			next.pushes = l
		case class != "normal":
			next.replicas = l
		case l != bufferLimit{}:
			return errLimitNormals
		}
	}
	return nil
}

func parseBufferLimit(words []string) (l bufferLimit, ok bool) {
	hard, okHard := parseBytes(words[0])
	soft, okSoft := parseBytes(words[1])
	n, err := parseNumber(words[2], 0, math.MaxInt32)
	return bufferLimit{hard, soft, time.Duration(n) * time.Second}, okHard && okSoft && err == nil
}
