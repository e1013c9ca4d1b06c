#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run-in-kernel.sh - run a command of this machine under a stock Debian kernel.
#
# Boots Debian's kernel in QEMU with this machine's / as a read-only root
# (a tmpfs overlay makes it writable inside the guest; nothing is kept) and
# runs CMD there as root, in the same directory, with the same environment.
# stdout, stderr and the exit status come back as if CMD had run here.
#
# The kernel is the newest installed one of Debian, else apt's, in a cache;
# --prepare fetches it, since tests run without a network.
# KVM is used where the CPU offers it, else QEMU's own emulation (TCG).
# No root rights are needed on the host.
# Debian packages: qemu-system-x86 busybox-static kmod cpio xz-utils
set -u -o pipefail

usage() {
	cat <<-'USAGE'
	usage: run-in-kernel.sh [options] [--] CMD [ARG...]
	  --modules "A B"  kernel modules to load before CMD
	                   (default: can-raw can-isotp vcan)
	  --can-cards N    N (0..4) emulated Kvaser PCIcan-S cards on one CAN bus,
	                   can0..canN-1 in the guest (driver kvaser_pci, sja1000)
	  --disk MIB       an empty disk, /dev/vda in the guest
	  --rw DIR         share DIR writable with the guest (may be repeated)
	  --timeout SEC    stop the guest after SEC seconds, exit 124 (default 120)
	  --mem MIB        guest memory (default 1024)
	  --cpus N         guest CPUs (default 1; more is slower without KVM)
	  --tcg            do not use KVM even if it seems usable
	  --log FILE       keep the kernel's log (console) in FILE
	  --prepare        fetch and unpack the kernel into the cache, then stop
	environment:
	  RUN_IN_KERNEL_CACHE   cache directory (default ~/.cache/run-in-kernel)
	  RUN_IN_KERNEL_IMAGE   a linux-image-*.deb to use instead of apt's newest
	  RUN_IN_KERNEL_APPEND  further words for the kernel's command line
	exit status: that of CMD; 77 where QEMU or a kernel is missing; 124 on
	timeout; 125 when the guest failed (a kernel oops included).
	USAGE
}

# Nothing to run it with: 77, which meson shows as skipped.
skip() { printf 'run-in-kernel: skipped: %s\n' "$*" >&2; exit 77; }
die() { printf 'run-in-kernel: %s\n' "$*" >&2; exit 125; }

modules='can-raw can-isotp vcan'
cards=0 disk=0 limit=120 mem=1024 cpus=1 force_tcg=0 prepare_only=0 keep_log=
rw=()
while [ $# -gt 0 ]; do
	case $1 in
	--modules) modules=$2; shift 2 ;;
	--can-cards) cards=$2; shift 2 ;;
	--disk) disk=$2; shift 2 ;;
	--rw) rw+=("$(realpath -- "$2")") || exit 125; shift 2 ;;
	--timeout) limit=$2; shift 2 ;;
	--mem) mem=$2; shift 2 ;;
	--cpus) cpus=$2; shift 2 ;;
	--tcg) force_tcg=1; shift ;;
	--log) keep_log=$2; shift 2 ;;
	--prepare) prepare_only=1; shift ;;
	-h|--help) usage; exit 0 ;;
	--) shift; break ;;
	-*) usage >&2; die "unknown option $1" ;;
	*) break ;;
	esac
done
[ "$prepare_only" = 1 ] || [ $# -gt 0 ] || { usage >&2; exit 125; }
PATH=$PATH:/usr/sbin:/sbin
umask 022
for tool in qemu-system-x86_64 busybox modprobe depmod cpio xz; do
	command -v "$tool" > /dev/null || skip "no $tool here"
done

cache=${RUN_IN_KERNEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/run-in-kernel}
# What the guest needs to reach its root file system and the pipes back.
boot_modules='virtio_pci 9pnet_virtio 9p overlay virtio_console'

show_depends() {	# module... -> their files, dependencies first, no repeats
	local m
	for m in "$@"; do
		modprobe -d "$modules_root" -S "$release" --show-depends "$m" ||
			die "no module $m in $release"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

pack() {	# directory -> an initrd of it on stdout
	(cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0)
}

# Which kernel: sets release, modules_root (its /lib/modules is there) and image.
find_kernel() {
	local deb tmp package
	if [ -z "${RUN_IN_KERNEL_IMAGE:-}" ]; then
		# an installed one? (the newest first; names without blanks)
		for image in $(printf '%s\n' /boot/vmlinuz-*-amd64 | sort -V -r); do
			release=${image#/boot/vmlinuz-} modules_root=/
			[ -r "$image" ] && [ -d "/lib/modules/$release/kernel/net/can" ] && return
		done
	fi
	modules_root=$cache/root
	if [ ! -f "$cache/root/complete" ]; then
		tmp=$(mktemp -d "$cache/tmp.XXXXXX") || exit 125
		deb=${RUN_IN_KERNEL_IMAGE:-}
		if [ -z "$deb" ]; then
			package=$(apt-cache depends linux-image-amd64 |
				awk '/Depends: linux-image/ { print $2; exit }')
			[ -n "$package" ] || skip 'apt knows no linux-image-amd64'
			(cd "$tmp" && apt-get -q download "$package") >&2 ||
				skip "cannot download $package; with a network: $0 --prepare"
			deb=$(echo "$tmp"/*.deb)
		fi
		dpkg-deb -x "$deb" "$tmp/root" || exit 125
		# since Debian 13 modules are under /usr
		[ -e "$tmp/root/lib" ] || ln -s usr/lib "$tmp/root/lib"
		release=$(basename "$tmp"/root/lib/modules/*)
		depmod -b "$tmp/root" "$release" && touch "$tmp/root/complete" || exit 125
		rm -rf "$cache/root"
		mv "$tmp/root" "$cache/root" && rm -rf "$tmp" || exit 125
	fi
	release=$(basename "$cache"/root/lib/modules/*)
	image=$cache/root/boot/vmlinuz-$release
}

prepare() {
	local offset
	mkdir -p "$cache" || exit 125
	exec 9> "$cache/lock" && flock 9 || exit 125
	find_kernel
	kernel=$cache/vmlinux-$release initrd=$cache/initrd-$release
	if [ ! -f "$kernel" ]; then
		# An uncompressed kernel saves the guest the slow decompression.
		offset=$(LC_ALL=C grep -aobP '\xFD7zXZ\x00' "$image" | head -1 | cut -d: -f1)
		[ -z "$offset" ] || tail -c +$((offset + 1)) "$image" | xz -dcq > "$kernel.new" 2> /dev/null
		[ "$(head -c 4 "$kernel.new" 2> /dev/null | tail -c 3)" = ELF ] || cp "$image" "$kernel.new"
		mv "$kernel.new" "$kernel" || exit 125
	fi
	[ "$initrd" -nt "$0" ] || make_initrd
	flock -u 9
}

# Copies modules (files on stdin) to a directory, with their order of loading.
add_modules() {
	local file
	while read -r file; do
		case $file in
		*.xz) xz -dc "$file" > "$1/$(basename "$file" .xz)" ;;
		*) cp "$file" "$1/" ;;
		esac || exit 125
		case $file in
		# since Linux 6.4 its longest message is 8300 bytes unless told; before, the option is ignored
		*/can-isotp.ko*) echo "$(basename "$file" .xz) max_pdu_size=66000" ;;
		*) basename "$file" .xz ;;
		esac
	done > "$1/order"
}

make_initrd() {
	local dir
	dir=$(mktemp -d "$cache/tmp.XXXXXX") || exit 125
	mkdir -p "$dir"/{bin,dev,proc,sys,boot,lower,upper,new}
	cp "$(command -v busybox)" "$dir/bin/busybox" || exit 125
	show_depends $boot_modules > "$dir/files" || exit 125
	add_modules "$dir/boot" < "$dir/files" || exit 125
	rm "$dir/files"
	cat > "$dir/init" <<-'INIT'
	#!/bin/busybox sh
	# Finds the root, makes it writable, and runs the script of the guest there.
	fail() {
		echo "run-in-kernel: $*" > /dev/console
		echo b > /proc/sysrq-trigger
		tail -f /dev/null
	}
	insmods() {
		while read -r module options; do
			insmod "/$1/$module" $options || fail "insmod $module"
		done < "/$1/order"
	}
	/bin/busybox --install -s /bin
	export PATH=/bin
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	insmods boot
	insmods extra
	opt=trans=virtio,version=9p2000.L,msize=512000
	mount -t 9p -o $opt,ro,cache=loose root /lower || fail 'no root'
	mount -t tmpfs -o size=75% up /upper
	mkdir /upper/up /upper/work
	mount -t overlay -o lowerdir=/lower,upperdir=/upper/up,workdir=/upper/work none /new ||
		fail 'no overlay'
	for d in dev proc sys; do mount -o move /$d /new/$d; done
	mount -t tmpfs run /new/run
	mkdir -p /new/run/lock /new/run/user /new/dev/pts /new/dev/shm
	mount -t devpts devpts /new/dev/pts
	mount -t tmpfs shm /new/dev/shm
	ln -s /proc/self/fd /new/dev/fd
	for fd in 0:stdin 1:stdout 2:stderr; do
		ln -s /proc/self/fd/${fd%:*} /new/dev/${fd#*:}
	done
	ip link set lo up
	while read -r tag dir; do
		mkdir -p "/new$dir"
		mount -t 9p -o $opt,cache=mmap $tag "/new$dir" || fail "cannot share $dir"
	done < /run/shares
	cp /bin/busybox /run/guest.sh /new/run/
	exec switch_root /new /run/busybox sh /run/guest.sh
	INIT
	chmod 755 "$dir/init"
	pack "$dir" > "$initrd.new" || exit 125
	mv "$initrd.new" "$initrd"
	rm -rf "$dir"
}

prepare
[ "$prepare_only" = 0 ] || exit 0

run=$(mktemp -d "${TMPDIR:-/tmp}/run-in-kernel.XXXXXX") || exit 125
qemu=
cleanup() {
	[ -z "$qemu" ] || kill "$qemu" 2> /dev/null
	[ -z "$keep_log" ] || cp "$run/console" "$keep_log" 2> /dev/null
	rm -rf "$run"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# The second initrd: what is particular to this run.
[ "$cards" -eq 0 ] || modules="$modules kvaser_pci"
[ "$disk" -eq 0 ] || modules="$modules virtio_blk"
mkdir -p "$run/initrd/run" "$run/initrd/extra"
# (the first initrd's modules come first in the list, and are left out)
{ show_depends $boot_modules; echo; show_depends $boot_modules $modules; } |
	awk '/^$/ { rest = 1; next } { if (!rest) had[$0]; else if (!($0 in had)) print }' \
	> "$run/files" || exit 125
add_modules "$run/initrd/extra" < "$run/files" || exit 125
for i in "${!rw[@]}"; do printf 'rw%d %s\n' "$i" "${rw[$i]}"; done > "$run/initrd/run/shares"
quote() { local word; for word; do printf " '%s'" "${word//\'/\'\\\'\'}"; done; }
{
	# printenv -0 and no "export -p": a value may hold anything.
	while IFS= read -r -d '' pair; do
		[[ $pair =~ ^[A-Za-z_][A-Za-z0-9_]*= ]] || continue
		case $pair in PWD=*|OLDPWD=*|SHLVL=*|_=*|XDG_RUNTIME_DIR=*) continue ;; esac
		printf 'export%s\n' "$(quote "$pair")"
	done < <(printenv -0)
	echo 'export XDG_RUNTIME_DIR=/run/user RUN_IN_KERNEL=1'
	echo 'b=/run/busybox'
	[ "$modules_root" = / ] || printf '$b mkdir -p /lib/modules; $b ln -sfn %s /lib/modules/%s\n' \
		"$(quote "$modules_root/lib/modules/$release")" "$release"
	printf 'cd%s || exit\n' "$(quote "$PWD")"
	# env by its path: busybox would take its own applets for ip, sh, ...
	printf '(exec /usr/bin/env%s) < /dev/null > /dev/vport0p1 2> /dev/vport0p2\n' "$(quote "$@")"
	echo 'echo $? > /dev/vport0p3'
	echo '$b sync; echo o > /proc/sysrq-trigger; $b tail -f /dev/null'
} > "$run/initrd/run/guest.sh"
{ cat "$initrd"; pack "$run/initrd"; } > "$run/initrd.img" || exit 125

accel=(-accel tcg -cpu Nehalem)
if [ "$force_tcg" = 0 ] && [ -w /dev/kvm ] && grep -q -w -m1 -E 'vmx|svm' /proc/cpuinfo; then
	accel=(-accel kvm -cpu host)
fi
args=(-M "${RUN_IN_KERNEL_MACHINE:-q35}" "${accel[@]}" -smp "$cpus" -m "$mem"
	-nodefaults -no-user-config -no-reboot -display none
	-kernel "$kernel" -initrd "$run/initrd.img"
	-append "console=ttyS0 quiet panic=-1 oops=panic nokaslr mitigations=off
		init_on_alloc=0 cryptomgr.notests apparmor=0 lsm= audit=0
		random.trust_cpu=on tsc=reliable no_timer_check ${RUN_IN_KERNEL_APPEND:-}"
	-serial "file:$run/console"
	-device virtio-serial-pci -add-fd fd=7,set=1 -add-fd fd=8,set=2
	-chardev file,id=out,path=/dev/fdset/1,append=on -device virtserialport,chardev=out,nr=1
	-chardev file,id=err,path=/dev/fdset/2,append=on -device virtserialport,chardev=err,nr=2
	-chardev "file,id=rc,path=$run/rc" -device virtserialport,chardev=rc,nr=3
	-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap
	-device virtio-9p-pci,fsdev=root,mount_tag=root)
for i in "${!rw[@]}"; do
	args+=(-fsdev "local,id=rw$i,path=${rw[$i]},security_model=none,multidevs=remap"
		-device "virtio-9p-pci,fsdev=rw$i,mount_tag=rw$i")
done
if [ "$disk" -gt 0 ]; then
	truncate -s "${disk}M" "$run/disk"
	args+=(-drive "file=$run/disk,if=virtio,format=raw,cache=unsafe")
fi
[ "$cards" -eq 0 ] || args+=(-object can-bus,id=bus0)
for ((i = 0; i < cards; i++)); do args+=(-device kvaser_pci,canbus=bus0); done

timeout --foreground "$limit" qemu-system-x86_64 "${args[@]}" < /dev/null 7>&1 8>&2 &
qemu=$!
wait "$qemu"; status=$?
qemu=
if [ "$status" -eq 124 ]; then
	tail -20 "$run/console" >&2
	echo "run-in-kernel: stopped after $limit s" >&2
	exit 124
fi
rc=$(cat "$run/rc" 2> /dev/null)
if [ -z "$rc" ]; then
	cat "$run/console" >&2
	die "the guest ended without a result (qemu status $status)"
fi
exit "$rc"
