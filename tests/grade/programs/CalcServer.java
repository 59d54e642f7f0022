// A calculator server whose requests are lines.
import java.io.*;
import java.math.BigInteger;
import java.net.*;
import java.nio.charset.StandardCharsets;

public class CalcServer {
  static String answer(String request) {
    String[] words = request.trim().split("\\s+");
    if (words.length != 3) return "Error: expected O1 O2 OP";
    BigInteger a, b;
    try {
      a = new BigInteger(words[0]);
      b = new BigInteger(words[1]);
    } catch (NumberFormatException error) {
      return "Error: not an integer";
    }
    String operands = words[0] + " and " + words[1];
    switch (words[2]) {
      case "+": return "Sum of " + operands + " is " + a.add(b);
      case "-": return "Diff of " + operands + " is " + a.subtract(b);
      case "*": return "Product of " + operands + " is " + a.multiply(b);
      case "/":
        if (b.signum() == 0) return "Error: division by zero";
        return "Div of " + operands + " is " + a.doubleValue() / b.doubleValue();
      default: return "Error: unknown operator";
    }
  }

  static void serve(Socket client) {
    try (client) {
      BufferedReader lines = new BufferedReader(
          new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8));
      String line;
      while ((line = lines.readLine()) != null) {
        client.getOutputStream().write((answer(line) + "\n").getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException error) {
      // The client has left.
    }
  }

  public static void main(String[] args) throws IOException {
    ServerSocket server = new ServerSocket();
    server.setReuseAddress(true);
    server.bind(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])));
    while (true) {
      Socket client = server.accept();
      new Thread(() -> serve(client)).start();
    }
  }
}
