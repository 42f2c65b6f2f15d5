package ws

// channelOf returns the one channel that a request is about.
func (c *conn) channelOf(r *request) (string, *fault) {
	name, ok := r.name()
	if !ok {
		return "", faultName
	}
	return name, c.checkName(name)
}

// question is channelOf for a request that is nothing without its answer.
func (c *conn) question(r *request) (string, *fault) {
	name, f := c.channelOf(r)
	if f == nil && r.id == nil {
		f = faultNoID
	}
	return name, f
}

// checkName says what is wrong with the name of a channel or pattern.
func (c *conn) checkName(name string) *fault {
	switch {
	case name == "":
		return faultEmptyName
	case len(name) > c.s.cfg.MaxName:
		return faultNameLength
	case !accepts(name):
		return faultControl
	}
	return nil
}
