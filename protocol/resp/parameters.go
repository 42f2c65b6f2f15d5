package resp

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanfare/kv"
)

// parameter is a setting as CONFIG knows it, under Redis' name where the meaning
// is the same.
type parameter struct {
	name string
	get  func(s *Server, now *settings) string
	// set changes the copy; its error is what follows the setting's name in the
	// reply. It is nil for what cannot change while the server runs.
	set func(s *Server, next *settings, value string) error
}

// parameters is every setting there is at run time, by name.
var parameters = slices.SortedFunc(slices.Values(slices.Concat(serverParameters, storeParameters)),
	func(a, b parameter) int { return strings.Compare(a.name, b.name) })

// serverParameters are those of connections and of the server as a whole.
var serverParameters = []parameter{
	{"appendonly", fixed("no"), only("no", "this server keeps no append only file")},
	{"auth-timeout", ofConfig(func(c *Config) int64 { return int64(c.AuthTimeout / time.Second) }), nil},
	{"bind", (*Server).boundHosts, nil},
	{"client-output-buffer-limit", bufferLimits, setBufferLimits},
	{"cluster-enabled", fixed("no"), nil},
	{"command-timeout", ofConfig(func(c *Config) int64 { return int64(c.CommandTimeout / time.Second) }), nil},
	{"databases", func(s *Server, _ *settings) string { return strconv.Itoa(s.store().Databases()) }, nil},
	{"max-args", ofConfig(func(c *Config) int64 { return int64(c.MaxArgs) }), nil},
	{"max-command", ofConfig(func(c *Config) int64 { return int64(c.MaxCommand) }), nil},
	{"max-inline", ofConfig(func(c *Config) int64 { return int64(c.MaxInline) }), nil},
	{"max-reply", ofConfig(func(c *Config) int64 { return int64(c.MaxReply) }), nil},
	{"maxclients",
		func(_ *Server, now *settings) string { return strconv.Itoa(now.maxClients) },
		setMaxClients},
	{"notify-keyspace-events",
		func(_ *Server, now *settings) string { return now.events.String() },
		func(_ *Server, next *settings, value string) (err error) {
			if next.events, err = kv.ParseEvents(value); err != nil {
				return errors.New("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.") //nolint:staticcheck,revive // Redis' text
			}
			return nil
		}},
	{"port", (*Server).boundPort, nil},
	{"proto-max-bulk-len",
		func(_ *Server, now *settings) string { return strconv.Itoa(now.maxBulk) },
		func(s *Server, next *settings, value string) error {
			n, err := parseMemory(value, min(1<<20, int64(s.cfg.MaxCommand)), int64(s.cfg.MaxCommand))
			next.maxBulk = int(n)
			return err
		}},
	{"reply-queue", ofConfig(func(c *Config) int64 { return c.ReplyPause }), nil},
	{"requirepass",
		func(_ *Server, now *settings) string { return now.password },
		func(_ *Server, next *settings, value string) error {
			next.password, next.passwordSum = value, sha256.Sum256([]byte(value))
			return nil
		}},
	{"save", fixed(""), only("", "this server keeps no snapshots")},
	{"slowlog-log-slower-than",
		func(_ *Server, now *settings) string { return itoa(now.slowerThan) },
		func(_ *Server, next *settings, value string) (err error) {
			next.slowerThan, err = parseNumber(value, -1, math.MaxInt64)
			return err
		}},
	{"slowlog-max-len",
		func(_ *Server, now *settings) string { return itoa(now.slowlogLen) },
		func(_ *Server, next *settings, value string) (err error) {
			next.slowlogLen, err = parseNumber(value, 0, maxSlowlog)
			return err
		}},
	{"tcp-keepalive",
		func(_ *Server, now *settings) string { return seconds(now.keepAlive) },
		func(_ *Server, next *settings, value string) error { return setSeconds(&next.keepAlive, value) }},
	{"timeout",
		func(_ *Server, now *settings) string { return seconds(now.timeout) },
		func(_ *Server, next *settings, value string) error { return setSeconds(&next.timeout, value) }},
	{"tracking-table-max-keys",
		func(_ *Server, now *settings) string { return itoa(now.trackedKeys) },
		func(_ *Server, next *settings, value string) (err error) {
			next.trackedKeys, err = parseNumber(value, 0, math.MaxInt64)
			return err
		}},
	{"unixsocket", (*Server).boundUnix, nil},
	{"write-timeout", ofConfig(func(c *Config) int64 { return int64(c.WriteTimeout / time.Second) }), nil},
}

// maxSlowlog bounds the entries of the slow log: one takes up to 4 KiB.
const maxSlowlog = 100_000

// findParameter returns the setting of a name in any case; nil: there is none.
func findParameter(name string) *parameter {
	name = strings.ToLower(name)
	i, found := slices.BinarySearchFunc(parameters, name, func(p parameter, name string) int { return strings.Compare(p.name, name) })
	if !found {
		return nil
	}
	return &parameters[i]
}

func fixed(value string) func(*Server, *settings) string {
	return func(*Server, *settings) string { return value }
}

// only accepts the one value that is true, so that clients may ask for it.
func only(accepted, text string) func(*Server, *settings, string) error {
	return func(_ *Server, _ *settings, value string) error {
		if strings.EqualFold(value, accepted) {
			return nil
		}
		return errors.New(text)
	}
}

func ofConfig(value func(*Config) int64) func(*Server, *settings) string {
	return func(s *Server, _ *settings) string { return itoa(value(&s.cfg)) }
}

func seconds(d time.Duration) string { return itoa(int64(d / time.Second)) }

func setSeconds(field *time.Duration, value string) error {
	n, err := parseNumber(value, 0, math.MaxInt32)
	*field = time.Duration(n) * time.Second
	return err
}

// setMaxClients refuses what the descriptor limit does not leave room for.
func setMaxClients(s *Server, next *settings, value string) error {
	n, err := parseNumber(value, 1, math.MaxUint32)
	if err != nil {
		return err
	}
	if most := s.cfg.Broker.MaxSessions(); most > 0 && n > int64(most) {
		return fmt.Errorf("The operating system is not able to handle the specified number of clients, try with %d", most) //nolint:staticcheck,revive // Redis' text
	}
	next.maxClients = int(n)
	return nil
}

// addresses returns where the server listens, sorted, so that a listener that
// opens later does not change the first one.
func (s *Server) addresses() []net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []net.Addr
	for l := range s.listeners {
		list = append(list, l.Addr())
	}
	slices.SortFunc(list, func(a, b net.Addr) int { return strings.Compare(a.String(), b.String()) })
	return list
}

func (s *Server) boundHosts(*settings) string {
	var hosts []string
	for _, a := range s.addresses() {
		if tcp, ok := a.(*net.TCPAddr); ok && !slices.Contains(hosts, tcp.IP.String()) {
			hosts = append(hosts, tcp.IP.String())
		}
	}
	return strings.Join(hosts, " ")
}

// boundPort returns the port of the first address; 0: there is none, as in Redis.
func (s *Server) boundPort(*settings) string {
	for _, a := range s.addresses() {
		if tcp, ok := a.(*net.TCPAddr); ok {
			return strconv.Itoa(tcp.Port)
		}
	}
	return "0"
}

func (s *Server) boundUnix(*settings) string {
	for _, a := range s.addresses() {
		if a.Network() == "unix" {
			return a.String()
		}
	}
	return ""
}
