// A calculator client that sends lines.
import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;

public class CalcClient {
  public static void main(String[] args) {
    try (Socket client = new Socket()) {
      String command = new BufferedReader(new InputStreamReader(System.in)).readLine();
      client.connect(new InetSocketAddress("localhost", Integer.parseInt(args[0])), 3000);
      client.setSoTimeout(3000);
      client.getOutputStream().write((command + "\n").getBytes(StandardCharsets.UTF_8));
      String reply = new BufferedReader(
          new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8)).readLine();
      if (reply == null) throw new IOException("the server closed without a reply");
      System.out.println(reply);
      if (reply.startsWith("Error: ")) System.exit(1);
    } catch (IOException error) {
      System.err.println(error.getMessage());
      System.exit(1);
    }
  }
}
