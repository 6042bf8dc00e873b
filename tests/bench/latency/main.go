// latency FAR DELAY: a TCP relay on a free port of loopback, which it prints. What is sent arrives half of DELAY
// later, in both directions, at any rate: so a question and its answer take DELAY longer.
package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"time"
)

type piece struct {
	due     time.Time
	content []byte
}

func main() {
	delay, err := time.ParseDuration(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	for {
		near, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go relay(near, os.Args[1], delay/2)
	}
}

func relay(near net.Conn, address string, delay time.Duration) {
	far, err := net.Dial("tcp", address)
	if err != nil {
		near.Close()
		return
	}
	go carry(near, far, delay)
	carry(far, near, delay)
}

func carry(from, to net.Conn, delay time.Duration) {
	// As much as may be under way: 128 MiB a connection in theory, what the delay and the rate give in practice.
	pieces := make(chan piece, 2048)
	go func() {
		defer close(pieces)
		buffer := make([]byte, 64<<10)
		for {
			count, err := from.Read(buffer)
			if count > 0 {
				pieces <- piece{time.Now().Add(delay), append([]byte(nil), buffer[:count]...)}
			}
			if err != nil {
				return
			}
		}
	}()
	for next := range pieces {
		time.Sleep(time.Until(next.due))
		if _, err := to.Write(next.content); err != nil {
			break
		}
	}
	to.Close()
	from.Close()
	for range pieces {
	}
}
