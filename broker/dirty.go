package broker

// dirtyList is a queue of sessions that have something to flush.
type dirtyList struct {
	sessions []*Session
	head     int
}

func (d *dirtyList) len() int { return len(d.sessions) - d.head }

func (d *dirtyList) push(s *Session) {
	if d.head > 1024 && d.head > len(d.sessions)/2 {
		d.sessions = append(d.sessions[:0], d.sessions[d.head:]...)
		d.head = 0
	}
	d.sessions = append(d.sessions, s)
}

// pop returns the session that waits longest, or nil.
func (d *dirtyList) pop() *Session {
	if d.head == len(d.sessions) {
		d.sessions, d.head = d.sessions[:0], 0
		return nil
	}
	s := d.sessions[d.head]
	d.sessions[d.head] = nil
	d.head++
	return s
}
