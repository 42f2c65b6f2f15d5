package kv_test

import (
	"fmt"

	"fanfare/kv"
)

// A command locks the keys it works on, runs, and gives them back.
func ExampleStore() {
	store := kv.New(kv.Config{})
	defer store.Close()

	key := []byte("session:42")
	tx := store.Begin(0, [][]byte{key})
	deadline, err := kv.SetDeadline(30, kv.Seconds, tx.Now()) // SET session:42 alice EX 30
	if err == nil {
		_, err = tx.Set(0, key, []byte("alice"), kv.SetOptions{Deadline: deadline})
	}
	value, ok, _ := tx.Get(0, key)
	fmt.Println(string(value), ok, err, tx.TTL(0, key))
	tx.End()
	// Output: alice true <nil> 30000
}

// Events come with the key locked, in the order of the effects.
func ExampleStore_SetEventMask() {
	store := kv.New(kv.Config{Event: func(db int, _ kv.EventClass, event, key string) {
		fmt.Println(db, event, key)
	}})
	defer store.Close()
	mask, err := kv.ParseEvents("Kg$") // CONFIG SET notify-keyspace-events Kg$
	if err != nil {
		fmt.Println(err)
	}
	store.SetEventMask(mask)

	key := []byte("greeting")
	tx := store.Begin(0, [][]byte{key})
	if _, err = tx.Set(0, key, []byte("hello"), kv.SetOptions{}); err != nil {
		fmt.Println(err)
	}
	tx.Delete(0, key)
	tx.End()
	// Output:
	// 0 set greeting
	// 0 del greeting
}

// WATCH, MULTI, EXEC: the transaction runs only if nobody has changed the key.
func ExampleStore_BeginKeys() {
	store := kv.New(kv.Config{})
	defer store.Close()
	stock := []byte("stock")

	var w kv.Watcher
	tx := store.Begin(0, [][]byte{stock})
	tx.Watch(&w, 0, stock)
	tx.End()

	tx = store.BeginKeys(&w, []kv.Key{{DB: 0, Key: stock}})
	if !tx.Dirty(&w) {
		if _, err := tx.Set(0, stock, []byte("9"), kv.SetOptions{}); err != nil {
			fmt.Println(err)
		}
	}
	tx.End()
	store.Unwatch(&w)

	tx = store.Begin(0, [][]byte{stock})
	value, _, _ := tx.Get(0, stock)
	fmt.Println(string(value))
	tx.End()
	// Output: 9
}
