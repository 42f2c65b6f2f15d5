package resp

import (
	"slices"

	"fanfare/kv"
)

// trackingCommands are the subcommands of CLIENT about what clients keep.
func trackingCommands() []*command {
	const common = flagNoScript | flagLoading | flagStale
	return []*command{
		{name: "tracking", arity: -3, flags: common, acl: "connection", group: "connection", since: "6.0.0",
			complexity: "O(N) for N prefixes, whose number is limited", run: clientTracking,
			summary: "Lets the connection be told when a value that it has read changes, or no more."},
		{name: "caching", arity: 3, flags: common, acl: "connection", group: "connection", since: "6.0.0",
			complexity: "O(1)", summary: "Says whether the client keeps what the next command reads.", run: clientCaching},
		{name: "getredir", arity: 2, flags: common, acl: "connection", group: "connection", since: "6.0.0",
			complexity: "O(1)", summary: "Returns the connection that is told in place of this one.", run: clientGetRedir},
		{name: "trackinginfo", arity: 2, flags: common, acl: "connection", group: "connection", since: "6.2.0",
			complexity: "O(1)", summary: "Describes of what the connection is told.", run: clientTrackingInfo},
	}
}

// textNoChanges refuses what needs Config.Changes.
const textNoChanges = "ERR this server does not follow what happens to keys"

// clientTracking switches tracking: CLIENT TRACKING ON|OFF [REDIRECT id] [PREFIX p …]
// [BCAST] [OPTIN] [OPTOUT] [NOLOOP].
func clientTracking(x *call) {
	o, prefixes, ok := trackingArguments(x)
	if !ok {
		return
	}
	switch {
	case x.option(2, "ON") && x.conn.server.cfg.Changes == nil:
		x.w.Error(textNoChanges)
		return
	case x.option(2, "ON"):
		if text := x.conn.track(o, prefixes); text != "" {
			x.w.Error(text)
			return
		}
		if x.inExec { // what this EXEC has still to do is its own
			x.conn.server.tracking.enter(x.tx, x.conn)
		}
	case x.option(2, "OFF"):
		x.conn.untrack()
	default:
		x.syntaxError()
		return
	}
	x.w.OK()
}

// trackingArguments reads the options. When ok is false it has replied with an error.
func trackingArguments(x *call) (o trackingOptions, prefixes []string, ok bool) {
	for i := 3; i < len(x.args); i++ {
		more := i+1 < len(x.args)
		switch {
		case more && x.option(i, "REDIRECT"):
			i++
			if o.redirect != 0 {
				x.w.Error("ERR A client can only redirect to a single other client")
				return o, nil, false
			}
			if o.redirect, ok = x.redirect(i); !ok {
				return o, nil, false
			}
		case more && x.option(i, "PREFIX"):
			i++
			prefixes = append(prefixes, string(x.args[i]))
		case x.option(i, "BCAST"):
			o.bcast = true
		case x.option(i, "OPTIN"):
			o.optin = true
		case x.option(i, "OPTOUT"):
			o.optout = true
		case x.option(i, "NOLOOP"):
			o.noloop = true
		default:
			x.syntaxError()
			return o, nil, false
		}
	}
	return o, prefixes, true
}

// redirect reads the number of a connection. When ok is false it has replied with an
// error.
func (x *call) redirect(i int) (id int64, ok bool) {
	id, err := kv.ParseInt(x.args[i])
	switch {
	case err != nil:
		x.fail(err)
	case x.conn.server.clients.find(id) == nil:
		x.w.Error("ERR The client ID you want redirect to does not exist")
	default:
		return id, true
	}
	return 0, false
}

// track begins to track, or changes how. It returns the text of an error, with which
// nothing has changed.
func (c *conn) track(o trackingOptions, prefixes []string) string {
	t, was := c.info.tracked()
	if text := trackingConflict(was, &o, prefixes); text != "" {
		return text
	}
	if t == nil {
		if t = c.info.tracking.Load(); t == nil {
			t = &tracker{}
			t.conn.Store(c)
		}
	}
	if o.bcast {
		if text := c.addPrefixes(t, prefixes); text != "" {
			return text
		}
	}
	t.broken.Store(false)
	t.options.Store(&o)
	c.info.tracking.Store(t)
	if was == nil {
		c.server.tracking.clients.Add(1)
		c.server.follow(true)
	}
	return ""
}

// trackingConflict returns the text of an error if the options do not go together or
// with those that the connection has; nil: it does not track.
func trackingConflict(was, o *trackingOptions, prefixes []string) string {
	const switching = " before disabling tracking for this client, and then re-enabling it with a different mode."
	switch {
	case !o.bcast && len(prefixes) > 0:
		return "ERR PREFIX option requires BCAST mode to be enabled"
	case was != nil && was.bcast != o.bcast:
		return "ERR You can't switch BCAST mode on/off" + switching
	case o.bcast && (o.optin || o.optout):
		return "ERR OPTIN and OPTOUT are not compatible with BCAST"
	case o.optin && o.optout:
		return "ERR You can't specify both OPTIN mode and OPTOUT mode"
	case was != nil && (o.optin && was.optout || o.optout && was.optin):
		return "ERR You can't switch OPTIN/OPTOUT mode" + switching
	}
	return ""
}

// addPrefixes adds prefixes, or without any that of every key. It returns the text of
// an error, with which nothing has changed.
func (c *conn) addPrefixes(t *tracker, prefixes []string) string {
	const many = "ERR max number of prefixes reached"
	if len(t.prefixes)+max(1, len(prefixes)) > maxPrefixes {
		return c.refusePrefixes(many)
	}
	for _, prefix := range prefixes {
		if len(prefix) > maxPrefix {
			return c.refusePrefixes("ERR prefix is longer than 1024 bytes")
		}
	}
	if text := overlaps(t.prefixes, prefixes); text != "" {
		return text
	}
	if len(prefixes) == 0 {
		if slices.Contains(t.prefixes, "") {
			return ""
		}
		prefixes = []string{""}
	}
	if !c.server.tracking.prefixes.add(t, prefixes) {
		return c.refusePrefixes(many)
	}
	t.prefixes = append(t.prefixes, prefixes...)
	slices.Sort(t.prefixes)
	return ""
}

// refusePrefixes counts a refusal.
func (c *conn) refusePrefixes(text string) string {
	c.server.stats.refusedPrefixes.Add(1)
	return text
}

// untrack ends tracking. What the connection has read is remembered: if it begins
// again it will be told.
func (c *conn) untrack() {
	t, o := c.info.tracked()
	if o == nil {
		return
	}
	t.options.Store(nil)
	c.server.tracking.prefixes.remove(t)
	t.prefixes, t.caching = nil, false
	t.broken.Store(false)
	c.server.tracking.clients.Add(-1)
	c.server.follow(false)
}

// leaveTracking ends tracking with the connection.
func (c *conn) leaveTracking() {
	t := c.info.tracking.Load()
	if t == nil {
		return
	}
	c.untrack()
	t.conn.Store(nil)
	c.server.tracking.table.leave(t)
}

func clientCaching(x *call) {
	t, o := x.conn.info.tracked()
	yes, no := x.option(2, "YES"), x.option(2, "NO")
	switch {
	case o == nil:
		x.w.Error("ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled")
	case yes && !o.optin:
		x.w.Error("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
	case no && !o.optout:
		x.w.Error("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
	case !yes && !no:
		x.syntaxError()
	default:
		t.caching = true
		x.w.OK()
	}
}

// cached ends CLIENT CACHING with the command that ran, or with the transaction. As
// in Redis other forms of CLIENT may come between.
func (c *conn) cached(cmd *command) {
	t, _ := c.info.tracked()
	if t != nil && t.caching && !c.tx.open && (cmd == nil || cmd.parent == nil || cmd.parent.name != "client") {
		t.caching = false
	}
}

// redirect returns where invalidations go: 0 to the connection itself, -1 nowhere.
func (i *info) redirect() int64 {
	if _, o := i.tracked(); o != nil {
		return o.redirect
	}
	return -1
}

func clientGetRedir(x *call) { x.w.Int(x.conn.info.redirect()) }

func clientTrackingInfo(x *call) {
	t, o := x.conn.info.tracked()
	flags, prefixes := []string{"off"}, []string(nil)
	if o != nil {
		flags, prefixes = trackingFlags(t, o), t.prefixes
	}
	x.w.Map(3)
	x.w.BulkString("flags")
	x.w.Set(len(flags))
	for _, flag := range flags {
		x.w.BulkString(flag)
	}
	x.w.BulkString("redirect")
	x.w.Int(x.conn.info.redirect())
	x.w.BulkString("prefixes")
	x.w.Strings(prefixes)
}

func trackingFlags(t *tracker, o *trackingOptions) []string {
	flags := []string{"on"}
	for _, f := range []struct {
		set  bool
		name string
	}{
		{o.bcast, "bcast"},
		{o.optin, "optin"},
		{o.optin && t.caching, "caching-yes"},
		{o.optout, "optout"},
		{o.optout && t.caching, "caching-no"},
		{o.noloop, "noloop"},
		{t.broken.Load(), "broken_redirect"},
	} {
		if f.set {
			flags = append(flags, f.name)
		}
	}
	return flags
}
