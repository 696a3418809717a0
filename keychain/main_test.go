package keychain_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/payu-mcp/payu-mcp/keychain"
)

// childVariable makes the test binary play another process: role, then folder.
const childVariable = "KEYCHAIN_TEST_CHILD"

func TestMain(m *testing.M) {
	if role, dir, ok := strings.Cut(os.Getenv(childVariable), ":"); ok {
		if err := child(role, dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(role, dir string) error {
	ctx := context.Background()
	if role == "bus" {
		return childBus(ctx, dir)
	}
	if role == "system" {
		return childSystem(ctx, dir)
	}
	s, err := keychain.Open(keychain.Options{Dir: dir, Profile: profile, Resource: resource, Kind: keychain.KindFile})
	if err != nil {
		return err
	}
	switch role {
	case "count":
		for range 50 {
			if err := s.Update(ctx, increment); err != nil {
				return err
			}
		}
	case "write":
		fmt.Fprintln(os.Stderr, "ready")
		for {
			if err := s.Update(ctx, increment); err != nil {
				return err
			}
		}
	case "claim":
		if _, ok, err := s.Claim(ctx); err != nil || !ok {
			return errors.New("no claim")
		}
		fmt.Fprintln(os.Stderr, "ready")
		select {}
	case "hold":
		return s.Update(ctx, func(context.Context, *keychain.Record) (*keychain.Record, error) {
			fmt.Fprintln(os.Stderr, "ready")
			<-time.After(time.Minute) // not for ever: with nothing to wait for, Go ends the process
			return nil, errors.New("nobody killed it")
		})
	}
	return s.Close()
}

// increment keeps a counter in a record of some size, so that a torn write shows.
func increment(_ context.Context, cur *keychain.Record) (*keychain.Record, error) {
	n := 0
	if cur != nil {
		var err error
		if n, err = counter(cur); err != nil {
			return nil, err
		}
	}
	return rec(strings.Repeat(strconv.Itoa(n+1)+",", 2000)), nil
}

func counter(r *keychain.Record) (int, error) {
	parts := strings.Split(strings.TrimSuffix(string(r.Secret), ","), ",")
	for _, p := range parts {
		if p != parts[0] {
			return 0, errors.New("a torn record")
		}
	}
	return strconv.Atoi(parts[0])
}

// spawn starts a child and waits until it says that it is ready.
func spawn(t *testing.T, role, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+role+":"+dir)
	cmd.WaitDelay = time.Second
	out, err := cmd.StderrPipe()
	must(t, err, cmd.Start())
	if role == "write" || role == "hold" || role == "claim" {
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
			t.Fatalf("the child said %q, %v", line, err)
		}
	}
	return cmd
}
