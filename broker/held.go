package broker

// subscriptions is what a session holds of one kind. Most sessions hold few, and
// a list of eight takes less memory than the smallest map, and less time.
// The subscription writer is locked.
type subscriptions struct {
	few    []*Subscription
	byName map[string]*Subscription // instead of few, above fewMax
}

const fewMax = 8

func (h *subscriptions) len() int { return len(h.few) + len(h.byName) }

// get returns the subscription to name, nil if there is none.
func (h *subscriptions) get(name string) *Subscription {
	for _, sub := range h.few {
		if sub.holder.name == name {
			return sub
		}
	}
	return h.byName[name]
}

// put adds a subscription, in place of one to the same name if there is one.
func (h *subscriptions) put(sub *Subscription) {
	name := sub.holder.name
	for i, old := range h.few {
		if old.holder.name == name {
			h.few[i] = sub
			return
		}
	}
	switch {
	case h.byName == nil && len(h.few) < fewMax:
		h.few = append(h.few, sub)
		return
	case h.byName == nil:
		h.byName = make(map[string]*Subscription, 2*fewMax)
		for _, old := range h.few {
			h.byName[old.holder.name] = old
		}
		h.few = nil
	}
	h.byName[name] = sub
}

func (h *subscriptions) remove(name string) {
	for i, sub := range h.few {
		if sub.holder.name == name {
			last := len(h.few) - 1
			h.few[i], h.few[last] = h.few[last], nil
			h.few = h.few[:last]
			return
		}
	}
	if delete(h.byName, name); len(h.byName) == 0 {
		h.byName = nil
	}
}

// names returns up to n of the names.
func (h *subscriptions) names(n int) []string {
	names := make([]string, 0, min(n, h.len()))
	for _, sub := range h.few {
		if len(names) < n {
			names = append(names, sub.holder.name)
		}
	}
	for name := range h.byName {
		if len(names) == n {
			break
		}
		names = append(names, name)
	}
	return names
}

// all returns the subscriptions.
func (h *subscriptions) all() []*Subscription {
	subs := append([]*Subscription(nil), h.few...)
	for _, sub := range h.byName {
		subs = append(subs, sub)
	}
	return subs
}
