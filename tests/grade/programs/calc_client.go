// A calculator client that sends lines.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

func fail(reason any) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(1)
}

func main() {
	command, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	client, err := net.Dial("tcp", "localhost:"+os.Args[1])
	if err != nil {
		fail(err)
	}
	client.SetDeadline(time.Now().Add(3 * time.Second))
	fmt.Fprintf(client, "%s\n", strings.TrimSpace(command))
	reply, err := bufio.NewReader(client).ReadString('\n')
	if err != nil {
		fail(err)
	}
	fmt.Print(reply)
	if strings.HasPrefix(reply, "Error: ") {
		os.Exit(1)
	}
}
