# A calculator server whose requests are lines.
require "socket"

def answer(request)
  words = request.scrub.split
  return "Error: expected O1 O2 OP" unless words.length == 3
  o1, o2, operator = words
  a, b = Integer(o1, 10), Integer(o2, 10)
  case operator
  when "+" then "Sum of #{o1} and #{o2} is #{a + b}"
  when "-" then "Diff of #{o1} and #{o2} is #{a - b}"
  when "*" then "Product of #{o1} and #{o2} is #{a * b}"
  when "/" then b == 0 ? "Error: division by zero" : "Div of #{o1} and #{o2} is #{a.fdiv(b)}"
  else "Error: unknown operator"
  end
rescue ArgumentError
  "Error: not an integer"
end

server = TCPServer.new("127.0.0.1", ARGV[0].to_i)
loop do
  Thread.start(server.accept) do |client|
    Thread.current.report_on_exception = false
    while (line = client.gets)
      client.write(answer(line) + "\n")
    end
  rescue SystemCallError
    nil
  ensure
    client.close
  end
end
