# Chooses the system slot. Compiled into boot.scr, which U-Boot runs. docs/updates.md has the format of
# the state and of what it decides; src/base/slots.rs is its twin, and both are held to the same examples.
#
# All numbers are hexadecimal. Nothing is written but one sector of state, never a FAT.

if test "${devtype}" = virtio; then
  setenv gp_base 40000000
  setenv gp_disk /dev/vda
  setenv gp_fdt ${fdtcontroladdr}
else
  setenv devtype mmc
  setenv devnum 0
  setenv gp_base 0
  setenv gp_disk /dev/mmcblk0p
  setenv gp_fdt ${fdt_addr}
fi
${devtype} dev ${devnum}

# Where things are in memory: two copies of the state, a word for checksums, the slot's first sector,
# kernel (with room to be unpacked), where it is unpacked, initrd.
setexpr gp_s1 ${gp_base} + 1000000
setexpr gp_s2 ${gp_base} + 1000200
setexpr gp_crc ${gp_base} + 1000400
setexpr gp_head ${gp_base} + 1000600
setexpr gp_kernel ${gp_base} + 2000000
setexpr gp_room ${gp_base} + a000000
setexpr gp_initrd ${gp_base} + 12000000

# gp_check: whether the copy at gp_at is whole. Different builds of U-Boot write the checksum in different
# byte orders, so both stand there.
setenv gp_check 'setenv gp_ok; if itest.l *${gp_at} == 42415047; then crc32 ${gp_at} 1c ${gp_crc}; setexpr gp_x ${gp_at} + 1c; if cmp.l ${gp_crc} ${gp_x} 1; then setenv gp_ok 1; fi; setexpr gp_x ${gp_at} + 20; if cmp.l ${gp_crc} ${gp_x} 1; then setenv gp_ok 1; fi; fi'

# gp_store: the state as it is in memory, with the next number, over the copy that was not chosen.
setenv gp_store 'setexpr gp_x ${gp_at} + 4; setexpr gp_n ${gp_n} + 1; mw.l ${gp_x} ${gp_n}; setexpr gp_x ${gp_at} + 8; mw.l ${gp_x} ${gp_slot}; setexpr gp_x ${gp_at} + c; mw.l ${gp_x} ${gp_tries}; setexpr gp_x ${gp_at} + 10; mw.l ${gp_x} ${gp_other}; setexpr gp_x ${gp_at} + 14; mw.l ${gp_x} ${gp_back}; crc32 ${gp_at} 1c ${gp_crc}; setexpr gp_x ${gp_at} + 1c; cp.b ${gp_crc} ${gp_x} 4; for gp_i in 3 2 1 0; do setexpr gp_x ${gp_crc} + ${gp_i}; setexpr gp_y ${gp_at} + 23; setexpr gp_y ${gp_y} - ${gp_i}; cp.b ${gp_x} ${gp_y} 1; done; ${devtype} write ${gp_at} ${gp_to} 1'

# gp_turn: the other slot from now on, if it is known to be good.
setenv gp_turn 'if test ${gp_slot} = 0; then setenv gp_slot 1; else setenv gp_slot 0; fi; setenv gp_tries ff; setenv gp_other 0; setenv gp_back 1; echo GATEPOST rolled back to slot ${gp_slot}; run gp_store'

# The newer of the two copies that are whole.
mw.b ${gp_s1} 0 400
setenv gp_at
setenv gp_ok1
setenv gp_ok2
if ${devtype} read ${gp_s1} 1000 1; then setenv gp_at ${gp_s1}; run gp_check; setenv gp_ok1 ${gp_ok}; fi
if ${devtype} read ${gp_s2} 1800 1; then setenv gp_at ${gp_s2}; run gp_check; setenv gp_ok2 ${gp_ok}; fi
setenv gp_at
if test -n "${gp_ok1}"; then setenv gp_at ${gp_s1}; setenv gp_to 1800; fi
if test -n "${gp_ok2}"; then
  setexpr gp_x ${gp_s1} + 4
  setexpr gp_y ${gp_s2} + 4
  if test -z "${gp_ok1}" || itest.l *${gp_y} > *${gp_x}; then setenv gp_at ${gp_s2}; setenv gp_to 1000; fi
fi

if test -n "${gp_at}"; then
  setexpr gp_x ${gp_at} + 4
  setexpr.l gp_n *${gp_x}
  setexpr gp_x ${gp_at} + 8
  setexpr.l gp_slot *${gp_x}
  setexpr gp_x ${gp_at} + c
  setexpr.l gp_tries *${gp_x}
  setexpr gp_x ${gp_at} + 10
  setexpr.l gp_other *${gp_x}
  setexpr gp_x ${gp_at} + 14
  setexpr.l gp_back *${gp_x}
  if test ${gp_slot} != 0; then setenv gp_slot 1; fi
  echo GATEPOST slot ${gp_slot} tries ${gp_tries} other ${gp_other}
  if test ${gp_tries} = ff; then
    echo GATEPOST confirmed
  elif itest ${gp_tries} == 0; then
    if test ${gp_other} = 1; then run gp_turn; else echo GATEPOST no other slot to go back to; fi
  else
    setexpr gp_tries ${gp_tries} - 1
    # A card that can't be written to can't count: better the slot that is known to work.
    if run gp_store; then echo GATEPOST tries left ${gp_tries}; elif test ${gp_other} = 1; then run gp_turn; fi
  fi
else
  echo GATEPOST no state
  mw.b ${gp_s1} 0 200
  mw.l ${gp_s1} 42415047
  setenv gp_at ${gp_s1}
  setenv gp_to 1000
  setenv gp_n 0
  setenv gp_slot 0
  setenv gp_tries ff
  setenv gp_other 0
  setenv gp_back 0
fi

# gp_load: kernel and initrd of the slot, from behind its root, each with its checksum.
setenv gp_sum 'setenv gp_ok; crc32 ${gp_a} ${gp_l} ${gp_crc}; setexpr gp_x ${gp_head} + ${gp_w}; if cmp.l ${gp_crc} ${gp_x} 1; then setenv gp_ok 1; fi; setexpr gp_x ${gp_x} + 4; if cmp.l ${gp_crc} ${gp_x} 1; then setenv gp_ok 1; fi; test -n "${gp_ok}"'
setenv gp_word 'setexpr gp_x ${gp_head} + ${gp_w}; setexpr.l gp_v *${gp_x}'
setenv gp_load 'setexpr gp_part ${gp_slot} + 2; part start ${devtype} ${devnum} ${gp_part} gp_x && setexpr gp_boot ${gp_x} + e0000 && ${devtype} read ${gp_head} ${gp_boot} 1 && itest.l *${gp_head} == 54425047 && setenv gp_a ${gp_head} && setenv gp_l 2c && setenv gp_w 2c && run gp_sum && setenv gp_w 4 && run gp_word && setenv gp_kbytes ${gp_v} && setenv gp_w 8 && run gp_word && setenv gp_ksectors ${gp_v} && setenv gp_w c && run gp_word && setenv gp_ibytes ${gp_v} && setenv gp_w 10 && run gp_word && setenv gp_isectors ${gp_v} && setexpr gp_x ${gp_boot} + 1 && ${devtype} read ${gp_kernel} ${gp_x} ${gp_ksectors} && setexpr gp_x ${gp_x} + ${gp_ksectors} && ${devtype} read ${gp_initrd} ${gp_x} ${gp_isectors} && setenv gp_a ${gp_kernel} && setenv gp_l ${gp_kbytes} && setenv gp_w 14 && run gp_sum && setenv gp_a ${gp_initrd} && setenv gp_l ${gp_ibytes} && setenv gp_w 1c && run gp_sum'

if run gp_load; then
  echo GATEPOST starts slot ${gp_slot}
else
  echo GATEPOST slot ${gp_slot} has no kernel that is whole
  if test ${gp_other} = 1; then run gp_turn; fi
  if run gp_load; then echo GATEPOST starts slot ${gp_slot}; else echo GATEPOST nothing to start; sleep 5; reset; fi
fi

# What the firmware says (cmdline.txt), or in a virtual machine, which has none, a test's file; and the slot, which
# is stronger.
setenv gp_said
if test "${devtype}" = virtio; then
  load virtio ${devnum}:1 ${gp_head} test.env && env import -t ${gp_head} ${filesize} gp_said
else
  fdt addr ${gp_fdt} && fdt get value gp_said /chosen bootargs
fi
setexpr gp_part ${gp_slot} + 2
setenv bootargs ${gp_said} ro panic=10 root=${gp_disk}${gp_part} gp.slot=${gp_slot} gp.tries=${gp_tries}

setenv kernel_comp_addr_r ${gp_room}
setenv kernel_comp_size ${gp_kbytes}
booti ${gp_kernel} ${gp_initrd}:${gp_ibytes} ${gp_fdt}
echo GATEPOST this kernel can not be started
sleep 5
reset
