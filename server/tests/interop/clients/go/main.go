// The Go clients of the interoperability suite: `clients LIBRARY produce|consume|group
// ARGS`.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// What a library does for the suite.
type library interface {
	// Writes the corpus in order to partition 0 and checks the offsets that were acknowledged.
	produce(bootstrap, topic, codec string, corpus []entry, autoCreate bool) error
	// Reads partition 0 of every topic up to its end.
	consume(bootstrap string, topics []string, fetchBytesMax int32, out *bufio.Writer) error
	// Looks one timestamp up; -1 when nothing is as late.
	offsetForTime(bootstrap, topic string, time int64) (int64, error)
	// Reads a topic, across its deletion and second creation where the library offers that.
	recreate(bootstrap, topic string) error
	// Reads as one of a group until the context ends, and commits what it read.
	beMember(ctx context.Context, member membership, events *events) error
}

const consumeTimeout = 180 * time.Second

var libraries = map[string]struct {
	library
	module string
}{
	"franz-go": {franz{}, "github.com/twmb/franz-go"},
	"sarama":   {saramaClient{}, "github.com/IBM/sarama"},
}

func main() {
	chosen, command, bootstrap := libraries[os.Args[1]], os.Args[2], os.Args[3]
	fmt.Printf("version\t%s\n", moduleVersion(chosen.module))
	switch command {
	case "produce":
		produceAll(chosen, bootstrap, os.Args[4], os.Args[5], strings.Split(os.Args[6], ","))
	case "consume":
		consumeAll(chosen, bootstrap, strings.Split(os.Args[4], ","), strings.Split(os.Args[5], ","), os.Args[6])
	case "group":
		if err := beMember(chosen, bootstrap, os.Args[4:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "version":
	case "cat":
		if err := cat(bootstrap, os.Args[4], os.Args[5]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		panic(command)
	}
}

func produceAll(chosen library, bootstrap, corpusPath, prefix string, codecs []string) {
	corpus, err := readCorpus(corpusPath)
	if err != nil {
		panic(err)
	}
	for _, codec := range codecs {
		scenario("produce "+codec, func() error {
			return chosen.produce(bootstrap, prefix+"-"+codec, codec, corpus, false)
		})
	}
	scenario("auto-create a topic", func() error {
		return chosen.produce(bootstrap, prefix+"-auto", "none", corpus[:10], true)
	})
	scenario("follow a topic that is deleted and made again", func() error {
		return chosen.recreate(bootstrap, prefix+"-recreated")
	})
}

func consumeAll(chosen library, bootstrap string, topics, times []string, outPath string) {
	toFile := func(path string, body func(*bufio.Writer) error) error {
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		defer file.Close()
		out := bufio.NewWriter(file)
		if err := body(out); err != nil {
			return err
		}
		return out.Flush()
	}
	scenario("consume", func() error {
		return toFile(outPath, func(out *bufio.Writer) error {
			return chosen.consume(bootstrap, topics, 8<<20, out)
		})
	})
	scenario("consume in small fetches", func() error {
		return toFile(outPath+".small", func(out *bufio.Writer) error {
			return chosen.consume(bootstrap, topics, 4096, out)
		})
	})
	scenario("offsets for times", func() error {
		return toFile(outPath+".times", func(out *bufio.Writer) error {
			for _, topic := range topics {
				for _, one := range times {
					timestamp, err := strconv.ParseInt(one, 10, 64)
					if err != nil {
						return err
					}
					offset, err := chosen.offsetForTime(bootstrap, topic, timestamp)
					if err != nil {
						return err
					}
					found := "-"
					if offset >= 0 {
						found = strconv.FormatInt(offset, 10)
					}
					fmt.Fprintf(out, "%s\t%s\t%s\n", topic, one, found)
				}
			}
			return nil
		})
	})
}

// Returned by a library that has no way to run a scenario: the suite then leaves it out.
var errNotOffered = fmt.Errorf("not offered")

// Runs one scenario and prints `ok NAME` or `fail NAME WHY`; the suite reads these lines.
func scenario(name string, body func() error) {
	switch err := body(); err {
	case nil:
		fmt.Printf("ok\t%s\n", name)
	case errNotOffered:
	default:
		fmt.Printf("fail\t%s\t%s\n", name, strings.ReplaceAll(err.Error(), "\n", " "))
	}
}

func moduleVersion(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == module {
				return dependency.Version
			}
		}
	}
	return "unknown"
}
