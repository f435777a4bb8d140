"""What runs inside the namespaces: who listens, who connects, who loads rules and reads them."""

from __future__ import annotations

# TCP and UDP on each (family, address, port); says which datagrams came since it was last asked
LISTEN = """
import json, selectors, socket, sys
sel = selectors.DefaultSelector()
for family, address, port in json.loads(sys.argv[1]):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        s = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET, kind)
        if address == "::": s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setblocking(False)
        s.bind((address, port))
        if kind == socket.SOCK_STREAM: s.listen(512)
        sel.register(s, selectors.EVENT_READ, kind)
sel.register(sys.stdin, selectors.EVENT_READ, None)
print("ready", flush=True)
heard = []
while True:
    asked = False
    for key, _ in sel.select():
        if key.data is None:
            if not sys.stdin.readline(): sys.exit()
            asked = True
        try:
            while key.data == socket.SOCK_STREAM: key.fileobj.accept()[0].close()
            while key.data == socket.SOCK_DGRAM: heard.append(int(key.fileobj.recv(2048)))
        except OSError: pass
    if asked:
        print(json.dumps(heard), flush=True); heard.clear()
"""

CONNECT = """
import errno, json, select, socket, struct, sys, time
for line in sys.stdin:
    asked = json.loads(line); pending = {}; answers = {}; held = []
    for n, proto, family, source, sport, target, port, ttl, tos, size in asked["tries"]:
        kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
        s = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if kind == socket.SOCK_STREAM:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        level = socket.IPPROTO_IP if family == 4 else socket.IPPROTO_IPV6
        names = ("IP_TTL", "IP_TOS") if family == 4 else ("IPV6_UNICAST_HOPS", "IPV6_TCLASS")
        for name, value in zip(names, (ttl, tos)):
            if value: s.setsockopt(level, getattr(socket, name), value)
        if proto == "udp":
            name = "IP_MULTICAST_TTL" if family == 4 else "IPV6_MULTICAST_HOPS"
            s.setsockopt(level, getattr(socket, name), ttl or 64)
        if (family, proto) == (4, "udp"):
            s.setsockopt(level, socket.IP_MULTICAST_IF, socket.inet_aton(source))
        target, _, scope = target.partition("%")
        scope = socket.if_nametoindex(scope) if scope else 0
        where = (target, port) if family == 4 else (target, port, 0, scope)
        s.setblocking(False); s.bind((source, sport)); answers[n] = False; held.append(s)
        try:
            s.connect(where)
            if proto == "udp": s.send(b"%d" % n + b" " * size)
            else: answers[n] = True
        except BlockingIOError: pending[s.fileno()] = (n, s)
        except OSError as problem:
            # not sent at all, so that nothing is known of it
            if problem.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL): raise
    poll = select.poll()
    for fd in pending: poll.register(fd, select.POLLOUT)
    end = time.monotonic() + asked["wait"]
    while pending and (left := end - time.monotonic()) > 0:
        for fd, _ in poll.poll(left * 1000):
            n, s = pending.pop(fd); poll.unregister(fd)
            # an answer came where it stands established, whatever a later packet of it met
            stands = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in (1, 8)
            # refused is another error than reset, which only what stood can be
            error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            answers[n] = error in (0, errno.ECONNRESET) or stands
    for s in held: s.close()
    print(json.dumps(answers), flush=True)
"""

# conntrack is emptied before each ruleset (IPCTNL_MSG_CT_DELETE without a tuple): a source port
# that comes again must be a new connection
KEEP = """
import json, os, socket, struct, subprocess, sys
# labs that load at the same time do not wait for each other
os.environ["XTABLES_LOCKFILE"] = sys.argv[1]
def forget():
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    s.bind((0, 0))
    s.send(struct.pack("=IHHII", 20, 0x102, 5, 1, 0) + struct.pack("=BBH", 0, 0, 0))
    s.recv(4096); s.close()
def load(steps):
    for command, text in steps:
        argv = command.split() if command != "nft" else ["nft", "-f", "-"]
        done = subprocess.run(argv, input=text.encode(), capture_output=True)
        if done.returncode: return command + ": " + (done.stderr.decode() or "failed")
    return ""
for line in sys.stdin:
    asked = json.loads(line)
    if "load" in asked:
        answer = load(asked["load"]); forget()
    else:
        running = {name: subprocess.Popen(["sh", "-c", body], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for name, (body, _) in asked["read"].items()}
        answer = {}
        for name, process in running.items():
            out = process.communicate()[0]
            redact = asked["read"][name][1]
            if out and redact: out = subprocess.run(["sed", "-e", redact], input=out, capture_output=True).stdout
            answer[name] = (process.returncode, out.decode("utf-8", "replace"))
    print(json.dumps(answer), flush=True)
"""

EMPTY = "".join(
    f"*{table}\n" + "".join(f":{chain} ACCEPT [0:0]\n" for chain in chains) + "COMMIT\n"
    for table, chains in {
        "raw": ("PREROUTING", "OUTPUT"),
        "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
        "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
        "filter": ("INPUT", "FORWARD", "OUTPUT"),
    }.items()
)

# address sets that rules may refer to: addresses, networks, addresses with ports, IPv6 networks
IPSETS = (
    "create hosts hash:ip\nadd hosts 10.201.0.2\nadd hosts 172.30.0.2\n"
    "create nets hash:net\nadd nets 10.201.0.64/26\nadd nets 198.51.100.0/24\n"
    "create pairs hash:ip,port\nadd pairs 10.201.0.2,tcp:22\nadd pairs 10.201.0.66,udp:53\n"
    "create ports bitmap:port range 0-9999\nadd ports 80\nadd ports 5000-5001\n"
    "create wide hash:net,port\nadd wide 198.51.100.0/24,tcp:443\nadd wide 10.201.0.0/26,udp:22\n"
    "create ways hash:net,iface\nadd ways 10.201.0.0/24,wan\nadd ways 172.30.0.0/24,wan\n"
    "create nets6 hash:net family inet6\nadd nets6 fd00:201::/64\n"
    "create holes hash:net\nadd holes 10.201.0.0/24\nadd holes 10.201.0.2 nomatch\n"
)

# holds a program of two instructions (`r0 = VERDICT; exit`) at a place of the kernel: bpf(2)
ATTACH = """
import ctypes, os, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def bpf(command, attributes):
    held = ctypes.create_string_buffer(attributes.ljust(128, b"\\0"))
    done = libc.syscall(321, command, held, len(held))
    if done < 0: sys.exit(os.strerror(ctypes.get_errno()))
    return done
where, device, verdict = sys.argv[1], sys.argv[2], int(sys.argv[3])
kind, attach = {"xdp": (6, 37), "tcx": (3, 46), "sk_lookup": (30, 36)}[where]
text = struct.pack("<BBhiBBhi", 0xB7, 0, 0, verdict, 0x95, 0, 0, 0)
code, gpl = ctypes.create_string_buffer(text), ctypes.create_string_buffer(b"GPL")
program = bpf(5, struct.pack("<IIQQIIQII16sII", kind, 2, ctypes.addressof(code),
    ctypes.addressof(gpl), 0, 0, 0, 0, 0, b"hostpledge", 0, attach))
target = os.open("/proc/self/ns/net", 0) if where == "sk_lookup" else socket.if_nametoindex(device)
link = bpf(28, struct.pack("<IIII", program, target, attach, 2 if where == "xdp" else 0))
print("attached", flush=True); sys.stdin.read()
"""
