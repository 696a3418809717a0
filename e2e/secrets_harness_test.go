package e2e

import (
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// manner is how the mock of the Secret Service answers a method (OAUTH K7 to
// K11).
type manner int

const (
	works        manner = iota
	hangs               // no answer until free
	promptsOnly         // a prompt that nobody ever answers
	isDismissed         // a prompt, and the person closes it
	isAnswered          // a prompt, and the person answers it
	babbles             // a prompt that ends with something that makes no sense
	vanishes            // the service leaves the bus instead of answering
	dawdles             // an answer after slowness
	forgetsLater        // it says yes, and nothing is kept
)

// slowness is longer than a host should wait, and shorter than the bridge's
// deadline for its keychain.
const slowness = 2 * time.Second

const (
	secretsPath  = "/org/freedesktop/secrets"
	loginPath    = secretsPath + "/collection/login"
	promptPath   = secretsPath + "/prompt/1"
	secretsIface = "org.freedesktop.Secret."
)

// secretStore is a Secret Service on the world's bus.
type secretStore struct {
	conn *dbus.Conn
	free func()
	held chan struct{}

	mu    sync.Mutex
	does  map[string]manner // by method; works when it is not there
	asked map[string]int    // calls, by method
	next  int
	items map[dbus.ObjectPath]secretItem
	// prompt is what the one that is open does; result what it gives.
	prompt manner
	result dbus.Variant
}

type secretItem struct {
	attributes map[string]string
	secret     secretValue
}

// secretValue is (oayays) of the Secret Service specification.
type secretValue struct {
	Session           dbus.ObjectPath
	Parameters, Value []byte
	ContentType       string
}

// startSecrets starts the mock; all methods work.
func (w *world) startSecrets() *secretStore {
	w.t.Helper()
	held := make(chan struct{})
	s := &secretStore{conn: w.bus(), held: held, free: sync.OnceFunc(func() { close(held) }), asked: map[string]int{}, items: map[dbus.ObjectPath]secretItem{}}
	w.t.Cleanup(s.free)
	err := errors.Join(
		s.export(secretsPath, "Service", map[string]any{"OpenSession": s.openSession, "Unlock": s.unlock}),
		s.export(loginPath, "Collection", map[string]any{"SearchItems": s.search, "CreateItem": s.create}),
		s.export(secretsPath+"/session/1", "Session", map[string]any{"Close": func() *dbus.Error { return nil }}),
		s.export(promptPath, "Prompt", map[string]any{"Prompt": s.show}),
		s.conn.ExportMethodTable(map[string]any{"Get": s.property}, secretsPath, "org.freedesktop.DBus.Properties"),
	)
	if err != nil {
		w.t.Fatal(err)
	}
	if reply, err := s.conn.RequestName(secretService, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		w.t.Fatalf("becoming the keychain of the bus: %v, %v", reply, err)
	}
	return s
}

func (s *secretStore) export(path dbus.ObjectPath, kind string, methods map[string]any) error {
	return s.conn.ExportMethodTable(methods, path, secretsIface+kind)
}

// set changes the manners; what is not named works.
func (s *secretStore) set(does map[string]manner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.does = does
}

// calls counts how often a method was asked.
func (s *secretStore) calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[method]
}

// enter notes a call and does what is not an answer.
func (s *secretStore) enter(method string) manner {
	s.mu.Lock()
	s.asked[method]++
	m := s.does[method]
	s.mu.Unlock()
	switch m {
	case hangs:
		<-s.held
		return works
	case dawdles:
		select {
		case <-time.After(slowness):
		case <-s.held:
		}
		return works
	case vanishes:
		_ = s.conn.Close()
	default:
	}
	return m
}

// through answers at once, or opens a prompt that gives result.
func (s *secretStore) through(m manner, result dbus.Variant) dbus.ObjectPath {
	if m == works || m == forgetsLater {
		return "/"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prompt, s.result = m, result
	return promptPath
}

func (s *secretStore) property(_, _ string) (dbus.Variant, *dbus.Error) {
	s.enter("Collections")
	return dbus.MakeVariant([]dbus.ObjectPath{loginPath}), nil
}

func (s *secretStore) openSession(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
	s.enter("OpenSession")
	return dbus.MakeVariant(""), secretsPath + "/session/1", nil
}

func (s *secretStore) unlock(paths []dbus.ObjectPath) ([]dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	prompt := s.through(s.enter("Unlock"), dbus.MakeVariant(paths))
	if prompt != "/" {
		paths = []dbus.ObjectPath{}
	}
	return paths, prompt, nil
}

func (s *secretStore) search(want map[string]string) ([]dbus.ObjectPath, *dbus.Error) {
	s.enter("SearchItems")
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []dbus.ObjectPath{}
	for path, item := range s.items {
		if item.attributes["service"] == want["service"] && item.attributes["username"] == want["username"] {
			found = append(found, path)
		}
	}
	return found, nil
}

func (s *secretStore) create(properties map[string]dbus.Variant, secret secretValue, _ bool) (dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	m := s.enter("CreateItem")
	if m != works && m != isAnswered {
		return "/", s.through(m, dbus.MakeVariant(dbus.ObjectPath("/"))), nil
	}
	s.mu.Lock()
	s.next++
	path := dbus.ObjectPath(loginPath + "/" + strconv.Itoa(s.next))
	attributes, _ := properties[secretsIface+"Item.Attributes"].Value().(map[string]string)
	s.items[path] = secretItem{attributes, secret}
	s.mu.Unlock()
	if err := s.offer(path, secret); err != nil {
		return "/", "/", dbus.MakeFailedError(err)
	}
	return path, s.through(m, dbus.MakeVariant(path)), nil
}

// offer exports an item.
func (s *secretStore) offer(path dbus.ObjectPath, secret secretValue) error {
	return s.export(path, "Item", map[string]any{
		"GetSecret": func(dbus.ObjectPath) (secretValue, *dbus.Error) { s.enter("GetSecret"); return secret, nil },
		"Delete":    func() (dbus.ObjectPath, *dbus.Error) { return s.remove(path), nil },
	})
}

// restartSecrets starts the mock again after it has vanished, with what it kept.
func (w *world) restartSecrets(old *secretStore) *secretStore {
	w.t.Helper()
	old.free()
	_ = old.conn.Close()
	s := w.startSecrets()
	old.mu.Lock()
	defer old.mu.Unlock()
	for path, item := range old.items {
		s.items[path] = item
		if err := s.offer(path, item.secret); err != nil {
			w.t.Fatal(err)
		}
	}
	return s
}

func (s *secretStore) remove(path dbus.ObjectPath) dbus.ObjectPath {
	m := s.enter("Delete")
	if m == works {
		s.mu.Lock()
		delete(s.items, path)
		s.mu.Unlock()
	}
	return s.through(m, dbus.MakeVariant(""))
}

// show is Prompt: it "shows" the prompt and, if somebody reacts, tells so.
func (s *secretStore) show(string) *dbus.Error {
	s.enter("Prompt")
	s.mu.Lock()
	m, result := s.prompt, s.result
	s.mu.Unlock()
	body := []any{m == isDismissed, result}
	switch m {
	case isDismissed:
		body[1] = dbus.MakeVariant("")
	case babbles:
		body = []any{"ok"}
	case isAnswered:
	default:
		return nil
	}
	if err := s.conn.Emit(promptPath, secretsIface+"Prompt.Completed", body...); err != nil {
		return dbus.MakeFailedError(err)
	}
	return nil
}
