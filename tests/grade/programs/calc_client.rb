# A calculator client that sends lines.
require "socket"
require "timeout"

begin
  command = $stdin.gets.chomp
  reply = Timeout.timeout(3) do
    client = TCPSocket.new("127.0.0.1", ARGV[0].to_i)
    client.write("#{command}\n")
    client.gets
  end
rescue SystemCallError, Timeout::Error => error
  abort("calc: #{error.message}")
end
abort("calc: the server closed without a reply") if reply.nil?
puts reply
exit 1 if reply.start_with?("Error: ")
