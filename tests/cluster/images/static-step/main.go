// Command static-step is a step for tests in an image that holds nothing else: no shell,
// no libc. Its arguments are small commands, done one after the other:
//
//	copy FROM TO | write PATH TEXT | print PATH | say TEXT | env | list FOLDER | sleep DURATION | exit CODE
package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

type command struct {
	arguments int
	run       func(arguments []string) error
}

var commands = map[string]command{
	"copy":  {2, func(a []string) error { return copyFile(a[0], a[1]) }},
	"write": {2, func(a []string) error { return writeFile(a[0], a[1]) }},
	"print": {1, func(a []string) error { return printFile(a[0]) }},
	"say":   {1, func(a []string) error { fmt.Println(a[0]); return nil }},
	"env":   {0, printEnvironment},
	"list":  {1, func(a []string) error { return list(a[0]) }},
	"sleep": {1, func(a []string) error { return sleep(a[0]) }},
	"exit":  {1, func(a []string) error { return exit(a[0]) }},
}

func main() {
	rest := os.Args[1:]
	for len(rest) > 0 {
		next, known := commands[rest[0]]
		if !known || len(rest) <= next.arguments {
			fail(fmt.Errorf("%q is no command, or has too few arguments", rest[0]))
		}
		if err := next.run(rest[1 : 1+next.arguments]); err != nil {
			fail(err)
		}
		rest = rest[1+next.arguments:]
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "static-step:", err)
	os.Exit(2)
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	target, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		return err
	}
	return target.Close()
}

func writeFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

func printFile(path string) error {
	content, err := os.Open(path)
	if err != nil {
		return err
	}
	defer content.Close()
	_, err = io.Copy(os.Stdout, content)
	return err
}

func printEnvironment([]string) error {
	for _, variable := range os.Environ() {
		fmt.Println(variable)
	}
	return nil
}

func list(folder string) error {
	return filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			fmt.Println(path)
		}
		return err
	})
}

func sleep(text string) error {
	duration, err := time.ParseDuration(text)
	if err == nil {
		time.Sleep(duration)
	}
	return err
}

func exit(text string) error {
	code, err := strconv.Atoi(text)
	if err == nil {
		os.Exit(code)
	}
	return err
}
