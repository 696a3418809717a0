package fault

import (
	"net/http"
	"slices"
	"sync"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// Injector decides which requests meet a fault. Its Wrap goes into
// sandbox.Options. The zero value injects nothing; all methods are safe for
// concurrent use.
type Injector struct {
	mu    sync.Mutex
	rules []*rule
	fired int
}

type rule struct {
	match func(Request) bool
	left  int
	fired int
	fault Fault
}

// Add gives the next times requests to a path the fault f, after what was added
// before for the same path. Negative times means for ever.
func (i *Injector) Add(role sandbox.Role, path string, times int, f Fault) {
	i.AddIf(func(r Request) bool { return r.Role == role && r.Path == path }, times, f)
}

// AddIf gives the next times requests that match the fault f, after what was
// added before and matches too. fired counts those that met it.
func (i *Injector) AddIf(match func(Request) bool, times int, f Fault) (fired func() int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	u := &rule{match: match, left: times, fault: f}
	i.rules = append(i.rules, u)
	return func() int {
		i.mu.Lock()
		defer i.mu.Unlock()
		return u.fired
	}
}

// Clear forgets all faults that are still to come.
func (i *Injector) Clear() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.rules = nil
}

// Fired counts the requests that met a fault.
func (i *Injector) Fired() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fired
}

// Wrap is the seam of sandbox.Options.
func (i *Injector) Wrap(role sandbox.Role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := i.take(look(role, r)); f != nil {
			f(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (i *Injector) take(r Request) Fault {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := slices.IndexFunc(i.rules, func(u *rule) bool { return u.left != 0 && u.match(r) })
	if n < 0 {
		return nil
	}
	i.fired++
	i.rules[n].fired++
	i.rules[n].left-- // a negative count never comes to 0
	return i.rules[n].fault
}
