package bridge

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/payu-mcp/payu-mcp/bridge/catalogue"
	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
)

// Catalogue keeps what a server has said from one process to the next.
type Catalogue interface {
	// Load returns what was saved for a protocol version, nil if nothing was.
	Load(version string) (*catalogue.Saved, error)
	// Save keeps it, or not: that is nobody's fault.
	Save(version string, saved catalogue.Saved) error
}

// book is what is known of the server's answers: from the catalogue, and from
// what has passed by since; and what of it the host has been told.
type book struct {
	catalogue Catalogue
	log       *slog.Logger
	// readOnlyTools: the policy lets only tools pass that say they only read.
	readOnlyTools bool
	// toolsChanged is told of tools that are not what they were; nil: nobody is.
	toolsChanged func([]policy.Change)

	mu      sync.Mutex
	reads   policy.Tools    // of the list of tools in judged
	judged  json.RawMessage // the list that reads was made of
	version string          // of the host
	saved   catalogue.Saved
	kept    bool            // the catalogue has had it
	meta    json.RawMessage // _meta of the host's newest modern request

	ourOpening bool                       // the host was told our own opening
	told       map[string]json.RawMessage // by method: the list that the host has
	unasked    map[string]bool            // by method: the host's list did not come from the server now
	changed    map[string]bool            // by method: the host is still to be told
	ours       bool                       // the host has been told our own tools
	listed     chan struct{}              // closed when the host has got a list of tools the next time
	settled    chan struct{}              // closed when the host has had time to list again; nil: nothing to settle
}

// open loads what is known for a host of this version, and forgets what an
// earlier opening told.
func (k *book) open(version string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if version != k.version || k.saved.Opening == nil {
		k.turn(version)
		k.load()
	}
	k.told, k.unasked, k.changed = map[string]json.RawMessage{}, map[string]bool{}, map[string]bool{}
	k.ourOpening = false
}

// turn begins with nothing for a version; mu is held.
func (k *book) turn(version string) { k.version, k.saved, k.kept = version, catalogue.Saved{}, false }

// load asks the catalogue; mu is held.
func (k *book) load() {
	if k.catalogue == nil {
		return
	}
	saved, err := k.catalogue.Load(k.version)
	if err != nil {
		k.log.Warn("the saved lists cannot be used", "err", err)
	}
	if err == nil && saved != nil {
		k.saved, k.kept = *saved, true
		k.saved.Lists = maps.Clone(saved.Lists)
	}
}

// revisit follows a sign-in. The catalogue is dropped when that was somebody
// else's: then what is known of the lists is of the account that left.
func (k *book) revisit() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.missing() {
		k.forget()
	}
}

// missing reports whether the catalogue has nothing of what is known; mu is held.
func (k *book) missing() bool {
	if k.catalogue == nil || k.saved.Opening == nil {
		return false
	}
	saved, err := k.catalogue.Load(k.version)
	return err == nil && saved == nil
}

// forget gives the lists up, and what the host has of them; mu is held.
func (k *book) forget() {
	k.saved.Lists, k.kept = nil, false
	for method := range k.told {
		k.unasked[method] = true
	}
}

// opening returns the saved result of initialize or server/discover; nil: none.
func (k *book) opening() json.RawMessage {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.saved.Opening
}

// learnOpening keeps what the server said to initialize or server/discover.
func (k *book) learnOpening(version string, answer jsonmsg.Message) {
	result := bytes.Clone(jsonmsg.Lookup(answer.Raw, "result"))
	if answer.Version != "" && answer.Version != version {
		return // nobody is to hear a version that it did not offer
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if version != k.version {
		k.turn(version)
	}
	k.saved.Opening = result
	k.save()
}

// differs reports whether the host has another list than the one that is known.
func (k *book) differs(method string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	told, ok := k.told[method]
	return ok && !bytes.Equal(told, jsonmsg.Lookup(k.saved.Lists[method], catalogue.ItemsOf(method)))
}

// save hands what is known to the catalogue; mu is held. It writes only what is
// new there.
func (k *book) save() {
	if k.catalogue == nil || k.saved.Opening == nil || k.version == "" {
		return
	}
	saved := k.saved
	saved.Lists = maps.Clone(k.saved.Lists)
	if err := k.catalogue.Save(k.version, saved); err != nil {
		k.log.Debug("the lists could not be saved", "err", err)
	}
	k.kept = !k.missing() // a catalogue may have no place to keep it in
}

// list returns the saved result of a list method; nil: none.
func (k *book) list(method string) json.RawMessage {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.saved.Lists[method]
}

// tell notes what list the host has now. fresh: the server has just given it.
func (k *book) tell(method string, result json.RawMessage, fresh bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.told == nil {
		k.told, k.unasked, k.changed = map[string]json.RawMessage{}, map[string]bool{}, map[string]bool{}
	}
	k.told[method] = bytes.Clone(jsonmsg.Lookup(result, catalogue.ItemsOf(method)))
	k.unasked[method] = !fresh
}

// delivered notes that the host has got a list.
func (k *book) delivered(method string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if method == methodTools && k.listed != nil {
		close(k.listed)
		k.listed = nil
	}
}

// tellOurs notes that the host knows our own tools.
func (k *book) tellOurs() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ours = true
}

// tellOurOpening notes that the host opened with our own answer: it may ask for
// what the server does not have.
func (k *book) tellOurOpening() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ourOpening = true
}

func (k *book) openedWithOurs() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ourOpening
}

// stale lists the methods whose list the host has not from the server: that of
// the tools, which come last in the alphabet, first, since a result may wait for it.
func (k *book) stale() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var methods []string
	for method, unasked := range k.unasked {
		if unasked {
			methods = append(methods, method)
		}
	}
	slices.SortFunc(methods, func(a, b string) int { return strings.Compare(b, a) })
	return methods
}

// hasOurs reports whether the list of tools that the host has is our own.
func (k *book) hasOurs() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return bytes.Equal(k.told[methodTools], jsonmsg.Lookup(ownTools(false, k.readOnlyTools), catalogue.ItemsOf(methodTools)))
}

// isOwnTool reports whether a call is for a tool of our own: the host has been
// told of it in this process, and the server has none of that name (HOSTS P12).
func (k *book) isOwnTool(name string) bool {
	if !isOwnName(name) {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ours && k.tool(name) == nil
}

// readOnly reports whether the server said that a tool only reads.
func (k *book) readOnly(name string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.tools()[name]
}

// lists reports whether the list of tools is known, and has this one.
func (k *book) lists(name string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, known := k.tools()[name]
	return known
}

// tools is what the list says of each tool, read once; mu is held.
func (k *book) tools() policy.Tools {
	list := k.saved.Lists[methodTools]
	if len(list) == 0 {
		return nil
	}
	if len(k.judged) != len(list) || &k.judged[0] != &list[0] {
		k.reads, k.judged = policy.ToolsOf(list), list
	}
	return k.reads
}

// tool returns the saved entry of a tool; mu is held. A name that is given twice
// is nobody's.
func (k *book) tool(name string) (found json.RawMessage) {
	var entries []json.RawMessage
	if json.Unmarshal(jsonmsg.Lookup(k.saved.Lists[methodTools], catalogue.ItemsOf(methodTools)), &entries) != nil {
		return nil
	}
	for _, entry := range entries {
		if jsonmsg.Text(jsonmsg.Lookup(entry, "name")) != name {
			continue
		}
		if found != nil {
			return nil
		}
		found = entry
	}
	return found
}

// keepMeta keeps what a modern host says with each request, for our own.
func (k *book) keepMeta(m jsonmsg.Message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.meta = bytes.Clone(jsonmsg.Lookup(m.Raw, "params", "_meta"))
}

func (k *book) lastMeta() json.RawMessage {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.meta
}
