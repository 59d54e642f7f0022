// The calculator in idiomatic Go: a goroutine for each connection, buffered
// lines, big integers: peer tcp|udp
package main

import (
	"bufio"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
)

func calculate(request string) string {
	words := strings.Fields(request)
	if len(words) != 3 {
		return "Error: expected O1 O2 OP"
	}
	a, okA := new(big.Int).SetString(words[0], 10)
	b, okB := new(big.Int).SetString(words[1], 10)
	if !okA || !okB {
		return "Error: not an integer"
	}
	noun := ""
	switch words[2] {
	case "+":
		noun = "Sum"
		a.Add(a, b)
	case "-":
		noun = "Diff"
		a.Sub(a, b)
	case "*":
		noun = "Product"
		a.Mul(a, b)
	default:
		return "Error: unknown operator"
	}
	return noun + " of " + words[0] + " and " + words[1] + " is " + a.String()
}

func converse(conn net.Conn) {
	defer conn.Close()
	reader, writer := bufio.NewReader(conn), bufio.NewWriter(conn)
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return
		}
		writer.WriteString(calculate(string(line)))
		writer.WriteByte('\n')
		// All replies to the requests read so far go in one write.
		if reader.Buffered() == 0 && writer.Flush() != nil {
			return
		}
	}
}

func serveTCP() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		conn, err := listener.Accept()
		check(err)
		go converse(conn)
	}
}

func serveUDP() {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(err)
	fmt.Println(socket.LocalAddr().(*net.UDPAddr).Port)
	buffer := make([]byte, 65536)
	for {
		count, from, err := socket.ReadFromUDPAddrPort(buffer)
		check(err)
		socket.WriteToUDPAddrPort([]byte(calculate(string(buffer[:count]))), from)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	if os.Args[1] == "udp" {
		serveUDP()
	} else {
		serveTCP()
	}
}
