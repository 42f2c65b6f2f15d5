package broker

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"fanfare/kv"
)

// Member is somebody who is in a channel.
type Member struct {
	Name string
	Data []byte // what the member says of itself; nil: nothing
	JSON bool   // Data is compacted JSON text; else bytes
}

// member is what the index of a channel knows of a member. Its data is a value in
// the store of what channels remember; the value has a deadline as soon as no
// session holds the member, and its end is the member's.
type member struct {
	sessions int32
	lease    int64 // Unix milliseconds until which it stays by itself; 0: not
	grace    int64 // the same, since a session that held it was cut
}

// deadline returns when the member's value ends; 0: not by itself.
func (m *member) deadline() int64 {
	if m.sessions > 0 {
		return 0
	}
	return max(m.lease, m.grace)
}

// crowdedAbove is the number of members above which subscribers are told how many
// there are instead of who comes and goes.
const crowdedAbove = 500

// memberKey is the letter, the length of the channel, the channel and the member.
func memberKey(channel, name string) []byte {
	key := make([]byte, 0, 5+len(channel)+len(name))
	key = binary.AppendUvarint(append(key, memberLetter), uint64(len(channel)))
	return append(append(key, channel...), name...)
}

func memberOfKey(key string) (channel, name string) {
	n, size := binary.Uvarint([]byte(key[1:min(len(key), 1+binary.MaxVarintLen32)]))
	rest := key[1+size:]
	return rest[:n], rest[n:]
}

// The first byte of a member's value; the data follows.
const (
	noData byte = iota
	bytesData
	jsonData
)

func encodeMember(m *Member) []byte {
	kind := noData
	switch {
	case m.JSON:
		kind = jsonData
	case m.Data != nil:
		kind = bytesData
	}
	return append([]byte{kind}, m.Data...)
}

func decodeMember(name string, value []byte) Member {
	m := Member{Name: name, JSON: value[0] == jsonData}
	if value[0] != noData {
		m.Data = value[1:]
	}
	return m
}

// Member returns the name that the session is in a channel under unless it says
// otherwise: that of its user, or the session's own.
func (s *Session) Member() string {
	if user := s.Identity().User; user != "" {
		return user
	}
	return s.id
}

// Join puts a member into a channel, or changes its data; nil data leaves the
// data of a member as it is. Without a lease the member stays while the session
// lives (and the grace of SessionConfig after that), with one so long by itself.
// joined says that it was not there before. The name is kept. Close is called
// when no Join runs any more.
func (s *Session) Join(channel string, m Member, lease time.Duration) (joined bool, err error) {
	rights := s.b.rights.Load()
	if err := s.permit(ActionPresence, channel); err != nil {
		return false, err
	}
	switch {
	case len(m.Name) > s.cfg.MaxName:
		return false, s.b.refuse(ErrNameTooLong)
	case len(m.Data) > s.cfg.MaxMessage:
		return false, s.b.refuse(&TooLargeError{s.cfg.MaxMessage})
	}
	joined, err = s.join(channel, m, lease)
	if s.b.rights.Load() != rights {
		s.recheck() // who took the right away may have looked before the member was there
	}
	return joined, err
}

// join is Join for what is allowed.
func (s *Session) join(channel string, m Member, lease time.Duration) (joined bool, err error) {
	l := s.b.memory.lock(channel)
	defer l.unlock()
	if !s.b.ruleNamed(channel).Presence {
		return false, ErrNoPresence
	}
	k := l.keep(channel)
	s.joined.Lock()
	defer s.joined.Unlock()
	term, holds := s.joined.term(channel, m.Name)
	holds = holds && term == k.term
	if lease == 0 && !holds && s.joined.len() >= s.cfg.MaxSubscriptions {
		l.releaseIdle(s.b, k)
		return false, s.b.refuse(ErrTooManyJoins)
	}
	joined, err = s.b.join(l, k, m, lease, holds)
	if err != nil {
		l.releaseIdle(s.b, k)
		return false, s.b.refuse(err)
	}
	if lease == 0 && !holds {
		s.joined.put(hold{k.name, m.Name, k.term})
	}
	return joined, nil
}

// join is Join under the stripe; held says that the session holds the member.
func (b *Broker) join(l locked, k *kept, m Member, lease time.Duration, held bool) (joined bool, err error) {
	at, existed := k.members[m.Name]
	switch {
	case lease > 0:
		at.lease = deadline(now(), lease)
	case !held:
		at.sessions++
		at.grace = 0
	}
	key := memberKey(k.name, m.Name)
	tx := l.m.store.Begin(0, [][]byte{key})
	defer tx.End()
	old, stored, _ := tx.Get(0, key)
	old = bytes.Clone(old) // what is stored now may be written over
	value := encodeMember(&m)
	if stored && m.Data == nil {
		value = old
	}
	if _, err := tx.Set(0, key, value, kv.SetOptions{Deadline: at.deadline()}); err != nil {
		return false, ErrStateFull
	}
	l.setMember(k, m.Name, at)
	switch shown := decodeMember(m.Name, value); {
	case !existed:
		b.tellMember(l, k, EventJoined, shown)
	case !bytes.Equal(old, value):
		b.tellMember(l, k, EventUpdated, shown)
	}
	return !existed, nil
}

// releaseIdle forgets a channel that keeps neither members nor a history.
func (l locked) releaseIdle(b *Broker, k *kept) {
	if len(k.members) == 0 && b.ruleNamed(k.name).History.Size == 0 {
		l.release(k)
	}
}

// tellMember announces a change of the members.
func (b *Broker) tellMember(l locked, k *kept, verb EventVerb, m Member) {
	e := Event{Verb: verb, Channel: k.name, Member: m}
	switch {
	case len(k.members) <= crowdedAbove:
		b.announce(k.name, &e)
	case !k.crowded:
		k.crowded = true
		l.s.crowded = append(l.s.crowded, k)
	}
	b.report(presencePrefix, k.name, &e)
}

// Leave ends the session's hold on a member, or the member's lease if the session
// does not hold it. left says that the member is gone: other sessions may hold
// it, and who was cut stays for the grace.
func (s *Session) Leave(channel, name string) (left bool, err error) {
	if err := s.permit(ActionPresence, channel); err != nil {
		return false, err
	}
	l := s.b.memory.lock(channel)
	defer l.unlock()
	if !s.b.ruleNamed(channel).Presence {
		return false, ErrNoPresence
	}
	k := l.kept(channel)
	if k == nil {
		return false, nil
	}
	term, holds := s.unhold(channel, name)
	end := func(m *member) { m.lease = 0 }
	if holds && term == k.term {
		end = func(m *member) { m.sessions-- }
	}
	return s.b.letGo(l, hold{channel, name, k.term}, end), nil
}

// unhold forgets that the session holds a member, and says of which term.
func (s *Session) unhold(channel, name string) (term uint64, held bool) {
	s.joined.Lock()
	defer s.joined.Unlock()
	term, held = s.joined.term(channel, name)
	s.joined.remove(channel, name)
	return term, held
}

// members returns what the session holds.
func (s *Session) members() []hold {
	s.joined.Lock()
	defer s.joined.Unlock()
	return s.joined.all()
}

// leave ends a hold that was taken from the session, if it still is the same one.
func (s *Session) leave(h hold) {
	l := s.b.memory.lock(h.channel)
	defer l.unlock()
	if term, held := s.unhold(h.channel, h.name); held && term == h.term {
		s.b.letGo(l, h, func(m *member) { m.sessions-- })
	}
}

// LeaveAll ends all that the session holds. At the end of a session that did not
// quit, its members stay for the grace.
func (s *Session) LeaveAll() {
	until := int64(0)
	if s.cfg.Grace > 0 && s.ended() && s.Reason() != ReasonQuit {
		until = deadline(now(), s.cfg.Grace)
	}
	s.joined.Lock()
	list := s.joined.all()
	s.joined.holds = holds{}
	s.joined.Unlock()
	for _, h := range list {
		s.b.drop(h, until)
	}
}

// drop ends a hold; the member stays until the end of the grace.
func (b *Broker) drop(h hold, until int64) {
	l := b.memory.lock(h.channel)
	defer l.unlock()
	b.letGo(l, h, func(m *member) {
		m.sessions--
		m.grace = max(m.grace, until)
	})
}

// letGo changes what keeps a member in a channel, and ends the member if that was
// the last.
func (b *Broker) letGo(l locked, h hold, change func(*member)) (left bool) {
	k := l.kept(h.channel)
	if k == nil || k.term != h.term {
		return false
	}
	m, ok := k.members[h.name]
	if !ok {
		return false
	}
	change(&m)
	key := memberKey(h.channel, h.name)
	tx := l.m.store.Begin(0, [][]byte{key})
	defer tx.End()
	until := m.deadline()
	if m.sessions > 0 || until > tx.Now() {
		k.members[h.name] = m
		if until > 0 {
			tx.Expire(0, key, until, 0)
		}
		return false
	}
	tx.Delete(0, key)
	b.removeMember(l, k, h.name)
	return true
}

// setMember stores the numbers of a member, who may be new.
func (l locked) setMember(k *kept, name string, m member) {
	if k.members == nil {
		k.members = make(map[string]member)
	}
	if _, there := k.members[name]; !there {
		l.m.store.Charge(memberBytes + int64(len(name)))
	}
	k.members[name] = m
}

// deleteMember forgets a member who is there.
func (l locked) deleteMember(k *kept, name string) {
	delete(k.members, name)
	l.m.store.Charge(-memberBytes - int64(len(name)))
}

func (b *Broker) removeMember(l locked, k *kept, name string) {
	l.deleteMember(k, name)
	b.tellMember(l, k, EventLeft, Member{Name: name})
	if len(k.members) == 0 {
		k.members = nil
	}
	l.releaseIdle(b, k)
}

// memberExpired ends a member whose lease or grace is over, unless it came back.
func (b *Broker) memberExpired(channel, name string) {
	l := b.memory.lock(channel)
	defer l.unlock()
	k := l.kept(channel)
	if k == nil {
		return
	}
	if _, there := k.members[name]; !there {
		return
	}
	key := memberKey(channel, name)
	tx := l.m.store.Begin(0, [][]byte{key})
	defer tx.End()
	if !tx.Exists(0, key) {
		b.removeMember(l, k, name)
	}
}

// Members returns who is in the channel, by name, as far as names and data have
// no more than limit bytes together; more says that somebody was left out. Data is
// shared and must not be written to.
func (s *Session) Members(channel string, limit int) (list []Member, more bool, err error) {
	var names []string
	err = s.withMembers(channel, func(k *kept) { names = slices.AppendSeq(names, maps.Keys(k.members)) })
	slices.Sort(names)
	list = []Member{}
	for _, name := range names {
		// The stripe is free again: publishers do not wait for a long list.
		value, ok := s.b.memory.memberValue(channel, name)
		if !ok {
			continue // it has left meanwhile
		}
		if limit -= len(name) + len(value); limit < 0 {
			return list, true, nil
		}
		list = append(list, decodeMember(name, value))
	}
	return list, false, err
}

// MemberCount returns how many members the channel has.
func (s *Session) MemberCount(channel string) (n int, err error) {
	err = s.withMembers(channel, func(k *kept) { n = len(k.members) })
	return n, err
}

// withMembers calls f if the channel has members and the session may see them.
func (s *Session) withMembers(channel string, f func(k *kept)) error {
	if err := s.permit(ActionPresence, channel); err != nil {
		return err
	}
	l := s.b.memory.lock(channel)
	defer l.unlock()
	if !s.b.ruleNamed(channel).Presence {
		return ErrNoPresence
	}
	if k := l.kept(channel); k != nil {
		f(k)
	}
	return nil
}

func (m *memory) memberValue(channel, name string) (value []byte, ok bool) {
	key := memberKey(channel, name)
	tx := m.store.Begin(0, [][]byte{key})
	defer tx.End()
	value, ok, _ = tx.Get(0, key)
	return bytes.Clone(value), ok
}
