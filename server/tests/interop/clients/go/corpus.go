package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"os"
	"strconv"
	"strings"
)

// The corpus file and the canonical lines: see corpus.rs for both formats.

type header struct {
	key   string
	value []byte
}

type entry struct {
	key, value []byte
	timestamp  int64
	headers    []header
}

const shownBytesMax = 256

func readCorpus(path string) ([]entry, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var entries []entry
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		field := strings.Split(lines.Text(), "\t")
		timestamp, err := strconv.ParseInt(field[2], 10, 64)
		if err != nil {
			return nil, err
		}
		made := entry{key: unhex(field[0]), value: unhex(field[1]), timestamp: timestamp}
		if field[3] != "" {
			for _, one := range strings.Split(field[3], ",") {
				part := strings.Split(one, "=")
				made.headers = append(made.headers, header{string(unhex(part[0])), unhex(part[1])})
			}
		}
		entries = append(entries, made)
	}
	return entries, lines.Err()
}

// The bytes of a field; nil, and not an empty slice, for a null.
func unhex(field string) []byte {
	if field == "-" {
		return nil
	}
	bytes, err := hex.DecodeString(field)
	if err != nil {
		panic(err)
	}
	if bytes == nil {
		return []byte{}
	}
	return bytes
}

func shown(bytes []byte) string {
	if bytes == nil {
		return "-"
	}
	if len(bytes) <= shownBytesMax {
		return hex.EncodeToString(bytes)
	}
	return fmt.Sprintf("#%d:%08x", len(bytes), crc32.ChecksumIEEE(bytes))
}

func writeLine(out *bufio.Writer, topic string, offset int64, read entry) {
	fmt.Fprintf(out, "%s\t%d\t%s\t%s\t%d\t", topic, offset, shown(read.key), shown(read.value), read.timestamp)
	for i, one := range read.headers {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(out, "%s=%s", hex.EncodeToString([]byte(one.key)), shown(one.value))
	}
	out.WriteByte('\n')
}
