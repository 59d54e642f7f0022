// A calculator server whose requests are lines.
package main

import (
	"bufio"
	"fmt"
	"math/big"
	"net"
	"os"
	"strconv"
	"strings"
)

func answer(request string) string {
	words := strings.Fields(request)
	if len(words) != 3 {
		return "Error: expected O1 O2 OP"
	}
	a, ok1 := new(big.Int).SetString(words[0], 10)
	b, ok2 := new(big.Int).SetString(words[1], 10)
	if !ok1 || !ok2 {
		return "Error: not an integer"
	}
	result := new(big.Int)
	switch words[2] {
	case "+":
		return fmt.Sprintf("Sum of %s and %s is %s", words[0], words[1], result.Add(a, b))
	case "-":
		return fmt.Sprintf("Diff of %s and %s is %s", words[0], words[1], result.Sub(a, b))
	case "*":
		return fmt.Sprintf("Product of %s and %s is %s", words[0], words[1], result.Mul(a, b))
	case "/":
		if b.Sign() == 0 {
			return "Error: division by zero"
		}
		quotient, _ := new(big.Rat).SetFrac(a, b).Float64()
		text := strconv.FormatFloat(quotient, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return fmt.Sprintf("Div of %s and %s is %s", words[0], words[1], text)
	}
	return "Error: unknown operator"
}

func serve(client net.Conn) {
	defer client.Close()
	lines := bufio.NewScanner(client)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintf(client, "%s\n", answer(lines.Text()))
	}
}

func main() {
	server, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		client, err := server.Accept()
		if err != nil {
			continue
		}
		go serve(client)
	}
}
