package resp

import "fanfare/kv"

func init() {
	const common, access = flagWrite | flagNoScript | flagBlocking, "RW access delete"
	lastIsTimeout := keySpec{first: 1, last: -2, step: 1, access: access}
	register(
		&command{
			name: "bzpopmin", arity: -3, flags: common | flagFast, keys: lastIsTimeout,
			acl: "sortedset", group: "sorted-set", since: "5.0.0", complexity: "O(K+log(N)) for K keys and N members",
			summary: "Takes the member with the lowest score from the first sorted set that has any, and waits for one.",
			run:     func(x *call) { blockingZPop(x, takeLowest) },
		},
		&command{
			name: "bzpopmax", arity: -3, flags: common | flagFast, keys: lastIsTimeout,
			acl: "sortedset", group: "sorted-set", since: "5.0.0", complexity: "O(K+log(N)) for K keys and N members",
			summary: "Takes the member with the highest score from the first sorted set that has any, and waits for one.",
			run:     func(x *call) { blockingZPop(x, takeHighest) },
		},
		&command{
			name: "bzmpop", arity: -5, flags: flagWrite | flagBlocking, keys: countedKeys(2, access),
			acl: "sortedset", group: "sorted-set", since: "7.0.0",
			complexity: "O(K+M*log(N)) for K keys, M members taken and N there are",
			summary:    "Takes members from the first sorted set that has any, and waits for some.",
			run:        bzmpop,
		},
	)
}

// blockingZPop is BZPOPMIN and BZPOPMAX: key [key …] timeout.
func blockingZPop(x *call, take func(x *call, key []byte)) {
	last := len(x.args) - 1
	if timeout, ok := x.waitFor(last); ok {
		x.block(blocking{keys: x.args[1:last], kind: kv.TypeSorted, timeout: timeout, take: take, null: (*Writer).NullArray})
	}
}

func takeLowest(x *call, key []byte) { takeMember(x, key, false) }

func takeHighest(x *call, key []byte) { takeMember(x, key, true) }

func takeMember(x *call, key []byte, highest bool) {
	list, err := x.tx.ZPop(x.db, key, 1, highest)
	if err != nil {
		x.fail(err)
		return
	}
	x.w.Array(3)
	x.w.Bulk(key)
	x.w.Bulk(list[0].Member)
	x.w.Double(list[0].Score)
}

// bzmpop is BZMPOP timeout numkeys key [key …] MIN | MAX [COUNT n].
func bzmpop(x *call) {
	pop, ok := x.zmpopArgs(2)
	if !ok {
		return
	}
	if timeout, ok := x.waitFor(1); ok {
		x.block(blocking{keys: pop.keys, kind: kv.TypeSorted, timeout: timeout, take: takeMembers, null: (*Writer).NullArray})
	}
}

// takeMembers is BZMPOP on one key.
func takeMembers(x *call, key []byte) {
	pop, ok := x.zmpopArgs(2)
	if !ok {
		return
	}
	list, err := x.tx.ZPop(x.db, key, pop.count, pop.highest)
	if err != nil {
		x.fail(err)
		return
	}
	x.popped(key, list)
}
