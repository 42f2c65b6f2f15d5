package resp

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"fanfare/kv"
)

// storeParameters are those of the users' store: what it may take, which keys go
// when that is not enough, and up to what size collections are kept compact. The
// sizes have two names, as in Redis, since the compact form there was once another.
var storeParameters = []parameter{
	sizeParameter("maxmemory", func(s *settings) *int64 { return &s.maxMemory }),
	{"maxmemory-policy", func(_ *Server, now *settings) string { return string(now.eviction.Policy) }, setPolicy},
	countParameter("maxmemory-samples", 1, kv.MaxSamples, func(s *settings) *int { return &s.eviction.Samples }),
	countParameter("lfu-log-factor", 0, math.MaxInt32, func(s *settings) *int { return &s.eviction.LogFactor }),
	countParameter("lfu-decay-time", 0, math.MaxInt32, func(s *settings) *int { return &s.eviction.DecayTime }),

	countParameter("hash-max-listpack-entries", 0, math.MaxInt, hashEntries),
	countParameter("hash-max-ziplist-entries", 0, math.MaxInt, hashEntries),
	sizeParameter("hash-max-listpack-value", hashValue),
	sizeParameter("hash-max-ziplist-value", hashValue),
	{"list-compress-depth", fixed("0"), only("0", "this server does not compress lists")},
	countParameter("list-max-listpack-size", math.MinInt32, math.MaxInt32, listSize),
	countParameter("list-max-ziplist-size", math.MinInt32, math.MaxInt32, listSize),
	countParameter("set-max-intset-entries", 0, math.MaxInt, func(s *settings) *int { return &s.compact.SetIntegers }),
	countParameter("set-max-listpack-entries", 0, math.MaxInt, func(s *settings) *int { return &s.compact.SetEntries }),
	sizeParameter("set-max-listpack-value", func(s *settings) *int { return &s.compact.SetValue }),
	countParameter("zset-max-listpack-entries", 0, math.MaxInt, sortedEntries),
	countParameter("zset-max-ziplist-entries", 0, math.MaxInt, sortedEntries),
	sizeParameter("zset-max-listpack-value", sortedValue),
	sizeParameter("zset-max-ziplist-value", sortedValue),
}

func hashEntries(s *settings) *int   { return &s.compact.HashEntries }
func hashValue(s *settings) *int     { return &s.compact.HashValue }
func listSize(s *settings) *int      { return &s.compact.ListSize }
func sortedEntries(s *settings) *int { return &s.compact.SortedEntries }
func sortedValue(s *settings) *int   { return &s.compact.SortedValue }

// countParameter is a whole number between two bounds.
func countParameter(name string, least, most int64, field func(*settings) *int) parameter {
	return parameter{
		name,
		func(_ *Server, now *settings) string { return strconv.Itoa(*field(now)) },
		func(_ *Server, next *settings, value string) error {
			n, err := parseNumber(value, least, most)
			*field(next) = int(n)
			return err
		},
	}
}

// sizeParameter is a number of bytes.
func sizeParameter[T int | int64](name string, field func(*settings) *T) parameter {
	return parameter{
		name,
		func(_ *Server, now *settings) string { return itoa(int64(*field(now))) },
		func(_ *Server, next *settings, value string) error {
			n, err := parseMemory(value, 0, math.MaxInt)
			*field(next) = T(n)
			return err
		},
	}
}

// setPolicy takes the name of a policy in any case.
func setPolicy(_ *Server, next *settings, value string) error {
	names := make([]string, len(kv.Policies))
	for i, p := range kv.Policies {
		if strings.EqualFold(value, string(p)) {
			next.eviction.Policy = p
			return nil
		}
		names[i] = string(p)
	}
	return errors.New("argument(s) must be one of the following: " + strings.Join(names, ", "))
}
