package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/redact"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// The subjects, in the order of the tables.
const (
	direct    = "direct"
	floor     = "floor"
	payu      = "payu-mcp"
	mcpRemote = "mcp-remote"
)

var names = []string{direct, floor, payu, mcpRemote}

// subject is one of the ways that are compared.
type subject struct {
	name  string
	url   string // of its own server
	start func(ctx context.Context) (link, error)
}

// world is what a run needs: the built programs, and a server for each.
type world struct {
	dir      string
	server   *exec.Cmd
	leash    io.Closer // the server's stdin: it ends when this closes
	subjects []*subject
}

// turn returns the subjects, with another one first in each round, so that none
// always comes after the same one.
func (w *world) turn(round int) []*subject {
	n := round % len(w.subjects)
	return slices.Concat(w.subjects[n:], w.subjects[:n])
}

// newWorld builds the programs in dir and starts the servers.
func newWorld(ctx context.Context, dir string) (*world, error) {
	w := &world{dir: dir}
	// Each from the folder of its own module.
	if err := errors.Join(build(ctx, ".", filepath.Join(dir, "floor"), "./bench/floor"),
		build(ctx, "..", filepath.Join(dir, "payu-mcp"), "./cmd/payu-mcp")); err != nil {
		return nil, err
	}
	urls, err := w.startServers(ctx, len(names))
	if err != nil {
		return nil, err
	}
	if err := w.signIn(ctx, urls[2]); err != nil {
		return nil, err
	}
	home := []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	w.enter(direct, urls[0], func(context.Context) (link, error) { return newStraight(urls[0]), nil })
	w.addBridge(floor, urls[1], home, filepath.Join(dir, "floor"), urls[1], token)
	w.addBridge(payu, urls[2], home, filepath.Join(dir, "payu-mcp"), "--url", urls[2], "--store=file", "--state-dir", filepath.Join(dir, "state"))
	if node, proxy, found := findMCPRemote(); found {
		w.addBridge(mcpRemote, urls[3], append(home, "AUTH="+bearer), node, proxy, urls[3], "--allow-http", "--header", "Authorization:${AUTH}")
	}
	return w, nil
}

func (w *world) enter(name, url string, start func(context.Context) (link, error)) {
	w.subjects = append(w.subjects, &subject{name, url, start})
}

func (w *world) addBridge(name, url string, env []string, command ...string) {
	w.enter(name, url, func(ctx context.Context) (link, error) { return spawn(ctx, env, command...) })
}

// build makes a program as goreleaser.yaml does.
func build(ctx context.Context, module, to, what string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -buildid= -X github.com/payu-mcp/payu-mcp/internal/buildinfo.version=v0.0.0", "-o", to, what)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", what, err, out)
	}
	return nil
}

// startServers runs this program once more, as the servers.
func (w *world) startServers(ctx context.Context, n int) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w.server = exec.CommandContext(ctx, self, "-serve", strconv.Itoa(n))
	w.server.Stderr = os.Stderr
	if w.leash, err = w.server.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.server.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.server.Start(); err != nil {
		return nil, err
	}
	var urls []string
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&urls); err != nil {
		return nil, fmt.Errorf("reading the addresses of the servers: %w", err)
	}
	return urls, nil
}

// signIn stores a login as `payu-mcp login` leaves it.
func (w *world) signIn(ctx context.Context, url string) error {
	now := time.Now()
	c := &auth.Credential{
		Resource: url,
		Server: auth.Server{
			Issuer: "https://accounts.example", AuthorizationEndpoint: "https://accounts.example/authorize",
			TokenEndpoint: "https://accounts.example/token",
		},
		Registration: auth.Registration{Issuer: "https://accounts.example", ClientID: "bench", AuthMethod: "none", Dynamic: true},
		AccessToken:  redact.Secret(token), RefreshToken: redact.Secret(token), Scopes: []string{"payments"},
		ObtainedAt: now, Expiry: now.Add(24 * time.Hour), SignedInAt: now,
	}
	public, err := json.Marshal(c.Summary())
	if err != nil {
		return err
	}
	secret, err := c.Seal()
	if err != nil {
		return err
	}
	s, err := keychain.Open(keychain.Options{Dir: filepath.Join(w.dir, "state"), Profile: "default", Resource: url, Kind: keychain.KindFile})
	if err != nil {
		return err
	}
	err = s.Update(ctx, func(context.Context, *keychain.Record) (*keychain.Record, error) {
		return &keychain.Record{Public: public, Secret: secret}, nil
	})
	err = errors.Join(err, s.Close())
	// As after a login of some time ago: a file of this moment is read again.
	path, then := keychain.Path(filepath.Join(w.dir, "state"), "default", url), now.Add(-time.Hour)
	return errors.Join(err, os.Chtimes(path, then, then))
}

// findMCPRemote looks for mcp-remote and a Node to run it with: where the
// environment says, else beside the end-to-end tests.
func findMCPRemote() (node, proxy string, found bool) {
	root := os.Getenv("BENCH_NODE_MODULES")
	if root == "" {
		root = filepath.Join("npm", "node_modules")
	}
	proxy = filepath.Join(root, "mcp-remote", "dist", "proxy.js")
	if _, err := os.Stat(proxy); err != nil {
		return "", "", false
	}
	node = filepath.Join(root, "node", "bin", "node")
	if _, err := os.Stat(node); err != nil {
		if node, err = exec.LookPath("node"); err != nil {
			return "", "", false
		}
	}
	return node, proxy, true
}

// close ends the servers.
func (w *world) close() error {
	_ = w.leash.Close()
	return w.server.Wait()
}
