-- Dissects Portolan multicast imaging, docs/protocols/multicast.md §4. One datagram at a time: captures
-- taken on the sender itself show joined ones, see udp.length.
-- usage: tshark -X lua_script:tools/wireshark/portolan-multicast.lua -r capture.pcap
local portolan = Proto("portolan_mc", "Portolan multicast imaging")

local kinds = { [0] = "data", [1] = "parity" }
local fields = {
  magic = ProtoField.uint16("portolan_mc.magic", "Magic", base.HEX),
  version = ProtoField.uint8("portolan_mc.version", "Version"),
  kind = ProtoField.uint8("portolan_mc.kind", "Kind", base.DEC, kinds),
  session = ProtoField.uint32("portolan_mc.session", "Session"),
  sequence = ProtoField.uint32("portolan_mc.sequence", "Sequence"),
  chunk = ProtoField.uint32("portolan_mc.chunk", "Chunk"),
  frame_size = ProtoField.uint32("portolan_mc.frame_size", "Sealed chunk size"),
  block = ProtoField.uint16("portolan_mc.block", "Block"),
  stripe = ProtoField.uint8("portolan_mc.stripe", "Stripe"),
  parity = ProtoField.uint8("portolan_mc.parity", "Parity"),
  block_size = ProtoField.uint16("portolan_mc.block_size", "Block size"),
  piece = ProtoField.bytes("portolan_mc.piece", "Piece"),
}
portolan.fields = fields

local header_size = 24

function portolan.dissector(buffer, pinfo, tree)
  if buffer:len() <= header_size or buffer(0, 2):uint() ~= 0x504d then
    return 0
  end
  pinfo.cols.protocol = "PORTOLAN-MC"
  local is_parity = buffer(3, 1):uint() == 1
  local piece = is_parity and string.format("parity %u of stripe %u", buffer(21, 1):uint(), buffer(20, 1):uint())
    or string.format("block %u", buffer(20, 2):uint())
  pinfo.cols.info = string.format("session %u sequence %u chunk %u %s",
    buffer(4, 4):uint(), buffer(8, 4):uint(), buffer(12, 4):uint(), piece)
  local branch = tree:add(portolan, buffer())
  branch:add(fields.magic, buffer(0, 2))
  branch:add(fields.version, buffer(2, 1))
  branch:add(fields.kind, buffer(3, 1))
  branch:add(fields.session, buffer(4, 4))
  branch:add(fields.sequence, buffer(8, 4))
  branch:add(fields.chunk, buffer(12, 4))
  branch:add(fields.frame_size, buffer(16, 4))
  if is_parity then
    branch:add(fields.stripe, buffer(20, 1))
    branch:add(fields.parity, buffer(21, 1))
  else
    branch:add(fields.block, buffer(20, 2))
  end
  branch:add(fields.block_size, buffer(22, 2))
  branch:add(fields.piece, buffer(header_size))
  return buffer:len()
end

-- By content, because groups and ports are settings.
portolan:register_heuristic("udp", function(buffer, pinfo, tree)
  return portolan.dissector(buffer, pinfo, tree) > 0
end)
