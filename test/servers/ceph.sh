#!/usr/bin/env bash
# A small Ceph object gateway for the tests: one monitor, one storage daemon that keeps everything in memory, one
# gateway that speaks S3, all of them on the loopback interface.
#
#   ceph.sh install                           install the Debian packages where they are missing
#   ceph.sh run FOLDER MONITOR_PORT S3_PORT   start, print "ready", stop when standard input ends
#
# FOLDER must not exist; it is removed again. Whoever starts this holds the other end of standard input, so that
# nothing stays behind however that process ends. The gateway knows one user, $CEPH_ACCESS_KEY and $CEPH_SECRET_KEY.
# What was overwritten or deleted is gone after $CEPH_GC_SECONDS, 10 unless said otherwise.
set -euo pipefail

fail() {
  echo "ceph.sh: $*" >&2
  exit 1
}

installed() { command -v ceph ceph-mon ceph-osd radosgw radosgw-admin >/dev/null; }

install_packages() {
  installed && return
  "$(dirname "${BASH_SOURCE[0]}")/debian.sh" install ceph-mon ceph-osd radosgw ceph-common || fail "Ceph is not installed"
  installed || fail "the Ceph packages are installed, but a command of theirs is missing"
}

# wait_for <what> <command…>: until the command succeeds, for half a minute.
wait_for() {
  local what=$1 left=600
  shift
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || fail "$what did not come up within 30 s"
    sleep 0.05
  done
}

listening() { (: <>"/dev/tcp/127.0.0.1/$1"); }
storage_up() { ceph osd stat | grep -q '1 up'; }

write_settings() {
  cat >"$folder/ceph.conf" <<EOF
[global]
fsid = $fsid
mon_host = v2:127.0.0.1:$monitor_port/0
public_network = 127.0.0.0/8
keyring = $folder/keyring
log_file = $folder/\$name.log
run_dir = $folder
admin_socket = $folder/\$name.\$pid.asok
crash_dir = $folder
auth_allow_insecure_global_id_reclaim = false
# There is one of everything, and a pool needs no more placement groups than one.
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
# One daemon may carry all the pools that the gateway makes.
mon_max_pg_per_osd = 1000

[mon]
mon_data = $folder/monitor
mon_cluster_log_file = $folder/cluster.log
# A full disk of the machine is not our business: nothing of size is written to it.
mon_data_avail_crit = 0
mon_data_avail_warn = 0
# The gateway makes its pools one after the other at the first start; do not wait for more of them each time.
paxos_propose_interval = 0.01
paxos_min_wait = 0.01

[osd]
osd_data = $folder/storage
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_crush_update_on_start = false

[client.gateway]
rgw_data = $folder/gateway
# With Nagle's algorithm every answer that is sent in two pieces waits 40 ms for an acknowledgement.
rgw_frontends = beast endpoint=127.0.0.1:$s3_port tcp_nodelay=1
# Leave no parts of deleted objects in memory for long.
rgw_gc_obj_min_wait = ${CEPH_GC_SECONDS:-10}
rgw_gc_processor_period = ${CEPH_GC_SECONDS:-10}
EOF
}

make_keys() {
  local tool=(ceph-authtool "$folder/keyring")
  "${tool[@]}" --create-keyring
  "${tool[@]}" --gen-key --name mon. --cap mon 'allow *'
  "${tool[@]}" --gen-key --name client.admin --cap mon 'allow *' --cap osd 'allow *'
  "${tool[@]}" --gen-key --name client.gateway --cap mon 'allow rwx' --cap osd 'allow rwx'
  "${tool[@]}" --gen-key --name osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
}

run() {
  folder=$1 monitor_port=$2 s3_port=$3
  installed || fail "Ceph is not installed; run: test/servers/ceph.sh install"
  mkdir "$folder"
  started=no
  trap stop EXIT
  trap 'exit 1' INT TERM HUP
  mkdir "$folder"/{monitor,storage,gateway}
  fsid=$(cat /proc/sys/kernel/random/uuid)
  export CEPH_CONF=$folder/ceph.conf
  write_settings
  # Not as a condition, in which bash would go on after a step that failed.
  bring_up >"$folder/start.log" 2>&1
  started=yes
  echo ready
  cat >/dev/null
}

# Each daemon is a job of this shell, so that it can end just those.
bring_up() {
  make_keys
  monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$monitor_port]" "$folder/map"
  ceph-mon --mkfs -i a --monmap "$folder/map" --keyring "$folder/keyring"
  ceph-mon -i a --foreground &
  # Where the monitor has ended, because its port was taken meanwhile for instance, this would wait for ever.
  ceph --connect-timeout 30 osd new "$fsid"
  ceph osd crush add osd.0 1.0 root=default host=here
  ceph-osd -i 0 --mkfs --osd-uuid "$fsid"
  ceph-osd -i 0 --foreground &
  wait_for "the storage daemon" storage_up
  radosgw -n client.gateway --foreground &
  wait_for "the gateway" listening "$s3_port"
  radosgw-admin -n client.gateway user create --uid=tests --display-name=tests \
    --access-key="$CEPH_ACCESS_KEY" --secret="$CEPH_SECRET_KEY"
}

stop() {
  local daemons
  [ "$started" = yes ] || {
    tail -n 20 "$folder/start.log" >&2 || true
    echo "ceph.sh: Ceph did not start" >&2
  }
  daemons=$(jobs -p)
  # Nothing of theirs is kept, so they need no time to say goodbye.
  [ -z "$daemons" ] || kill -KILL $daemons 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}

case "${1:-}" in
  install) install_packages ;;
  run)
    [ $# -eq 4 ] || fail "usage: ceph.sh run FOLDER MONITOR_PORT S3_PORT"
    run "$2" "$3" "$4"
    ;;
  *) fail "usage: ceph.sh install | run FOLDER MONITOR_PORT S3_PORT" ;;
esac
