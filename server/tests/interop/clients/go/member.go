package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// How to be one of a group.
type membership struct {
	bootstrap, topic, group, assignor string
	// Empty for a member that has no instance id.
	instance string
	session  time.Duration
}

// Writes down what happens to a member, a line each.
type events struct {
	mutex    sync.Mutex
	out      *bufio.Writer
	assigned map[int32]bool
}

// beMember reads as one of the group until SIGTERM, commits what was read, and writes down all that
// happens: `TOPIC GROUP ASSIGNOR INSTANCE EVENTS SESSION_MS`.
func beMember(chosen library, bootstrap string, args []string) error {
	milliseconds, err := strconv.Atoi(args[5])
	if err != nil {
		return err
	}
	file, err := os.Create(args[4])
	if err != nil {
		return err
	}
	defer file.Close()
	member := membership{
		bootstrap: bootstrap, topic: args[0], group: args[1], assignor: args[2], instance: args[3],
		session: time.Duration(milliseconds) * time.Millisecond,
	}
	if member.instance == "-" {
		member.instance = ""
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return chosen.beMember(ctx, member, &events{out: bufio.NewWriter(file), assigned: map[int32]bool{}})
}

func (e *events) assign(partitions []int32) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for _, partition := range partitions {
		e.assigned[partition] = true
	}
	e.note("assigned", e.all())
}

func (e *events) revoke(partitions []int32) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for _, partition := range partitions {
		delete(e.assigned, partition)
	}
	e.note("revoked", e.all())
}

func (e *events) record(partition int32, offset int64, value []byte) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.note("record", partition, offset, string(value))
}

func (e *events) committed(partition int32, next int64) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.note("committed", partition, next)
}

func (e *events) all() string {
	var partitions []int32
	for partition := range e.assigned {
		partitions = append(partitions, partition)
	}
	slices.Sort(partitions)
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(partitions), " ", ","), "[]")
}

func (e *events) note(fields ...any) {
	fmt.Fprint(e.out, time.Now().UnixMilli())
	for _, field := range fields {
		fmt.Fprintf(e.out, "\t%v", field)
	}
	fmt.Fprintln(e.out)
	e.out.Flush()
}
