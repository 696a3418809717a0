package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU times in /proc: USER_HZ, which is 100 on every Linux.
const tick = 10 * time.Millisecond

// cpu is the time that the process has spent, in user and kernel mode.
func cpu(pid int) (time.Duration, error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may hold anything; state is field 3, utime 14.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	var sum int
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			return 0, fmt.Errorf("reading the CPU time: %w", err)
		}
		sum += n
	}
	return time.Duration(sum) * tick, nil
}

// memory reads one of the sizes in /proc/PID/status, in MB: VmRSS is what the
// process holds now, VmHWM the most that it ever held.
func memory(pid int, name string) (float64, error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(data), name+":")
	var kib float64
	if _, err := fmt.Sscanf(rest, "%f kB", &kib); err != nil {
		return 0, fmt.Errorf("reading %s: %w", name, err)
	}
	return kib * 1024 / 1e6, nil
}
