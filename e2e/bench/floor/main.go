// Command floor is the least that a relay can be: a line of stdin is posted as
// it is, with a fixed token, and what comes back is a line of stdout. It checks
// nothing, keeps no limit, gets no token and ends nothing in order. The benchmark
// holds payu-mcp against it.
//
// Usage: floor URL TOKEN. It may import the standard library only.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
)

func main() {
	if err := relay(os.Args[1], "Bearer "+os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
	}
}

func relay(url, bearer string) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	in := bufio.NewReaderSize(os.Stdin, 64<<10)
	var mu sync.Mutex
	var flights sync.WaitGroup
	defer flights.Wait()
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return nil // the host is gone
		}
		flights.Go(func() {
			answer, err := post(client, url, bearer, line)
			if err != nil {
				fmt.Fprintln(os.Stderr, "floor:", err)
				return
			}
			if len(answer) == 0 {
				return // to a notification
			}
			mu.Lock()
			defer mu.Unlock()
			_, _ = os.Stdout.Write(append(answer, '\n'))
		})
	}
}

func post(client *http.Client, url, bearer string, line []byte) ([]byte, error) {
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(line))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", bearer)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		_, body, _ = bytes.Cut(body, []byte("data: "))
		body, _, _ = bytes.Cut(body, []byte("\n"))
	}
	return body, err
}
