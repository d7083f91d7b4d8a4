package signing

import (
	"sync"
	"weak"
)

// inUse finds what is in use by its key. It is held by those who use it: what no
// configuration names any more goes. The zero value is ready, and safe for concurrent
// use.
type inUse[K comparable, V any] struct {
	mu   sync.Mutex
	kept map[K]weak.Pointer[V]
}

// get returns what is in use under a key, or what make returns.
func (u *inUse[K, V]) get(key K, make func() *V) *V {
	u.mu.Lock()
	defer u.mu.Unlock()
	for other, value := range u.kept {
		if value.Value() == nil {
			delete(u.kept, other)
		}
	}
	if value := u.kept[key].Value(); value != nil {
		return value
	}
	made := make()
	if u.kept == nil {
		u.kept = map[K]weak.Pointer[V]{}
	}
	u.kept[key] = weak.Make(made)
	return made
}
