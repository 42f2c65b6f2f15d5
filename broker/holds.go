package broker

// hold is a session's claim on a member: it stays as long as the session. The
// term is that of the channel's members when it was made: after they were all
// removed together, the hold means nothing.
type hold struct {
	channel, name string
	term          uint64
}

type holdKey struct{ channel, name string }

// holds is what a session holds: mostly nothing or one member, which a list takes
// less memory for than the smallest map.
type holds struct {
	few   []hold
	byKey map[holdKey]uint64 // terms; instead of few, above fewMax
}

func (h *holds) len() int { return len(h.few) + len(h.byKey) }

// term returns the term of a hold, false if there is none.
func (h *holds) term(channel, name string) (uint64, bool) {
	for i := range h.few {
		if h.few[i].channel == channel && h.few[i].name == name {
			return h.few[i].term, true
		}
	}
	term, ok := h.byKey[holdKey{channel, name}]
	return term, ok
}

// put adds a hold, in place of one on the same member if there is one.
func (h *holds) put(added hold) {
	h.remove(added.channel, added.name)
	if h.byKey == nil && len(h.few) < fewMax {
		h.few = append(h.few, added)
		return
	}
	if h.byKey == nil {
		h.byKey = make(map[holdKey]uint64, 2*fewMax)
		for _, old := range h.few {
			h.byKey[holdKey{old.channel, old.name}] = old.term
		}
		h.few = nil
	}
	h.byKey[holdKey{added.channel, added.name}] = added.term
}

func (h *holds) remove(channel, name string) {
	for i := range h.few {
		if h.few[i].channel == channel && h.few[i].name == name {
			last := len(h.few) - 1
			h.few[i], h.few[last] = h.few[last], hold{}
			h.few = h.few[:last]
			return
		}
	}
	if delete(h.byKey, holdKey{channel, name}); len(h.byKey) == 0 {
		h.byKey = nil
	}
}

// all returns the holds.
func (h *holds) all() []hold {
	list := append([]hold(nil), h.few...)
	for key, term := range h.byKey {
		list = append(list, hold{key.channel, key.name, term})
	}
	return list
}
