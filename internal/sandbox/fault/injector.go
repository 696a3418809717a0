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
	role  sandbox.Role
	path  string
	left  int
	fault Fault
}

// Add gives the next times requests to a path the fault f, after what was added
// before for the same path. Negative times means for ever.
func (i *Injector) Add(role sandbox.Role, path string, times int, f Fault) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.rules = append(i.rules, &rule{role, path, times, f})
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
		if f := i.take(role, r.URL.Path); f != nil {
			f(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (i *Injector) take(role sandbox.Role, path string) Fault {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := slices.IndexFunc(i.rules, func(u *rule) bool { return u.left != 0 && u.role == role && u.path == path })
	if n < 0 {
		return nil
	}
	i.fired++
	i.rules[n].left-- // a negative count never comes to 0
	return i.rules[n].fault
}
