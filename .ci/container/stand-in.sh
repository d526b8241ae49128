# Sourced by `prove`: podman that works inside most sandboxes, and a stand-in for the official Python image, for
# machines that reach Debian's packages but no container registry. Needs root on Debian or Ubuntu.
#
# The stand-in has the official image's layout (python and pip in /usr/local/bin, no byte code, no LANG), but
# Debian's own Python 3.13. It cannot have the pinned digest, so the digest, and nothing else, is taken off the
# Dockerfile for the build. That the pinned base itself builds is shown wherever `prove` finds docker: on GitHub.

install_programs() {
  local packages=() package
  for package in "$@"; do
    command -v "$package" >/dev/null || packages+=("$package")
  done
  ((${#packages[@]})) || return 0
  echo "installing ${packages[*]}"
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${packages[@]}" >/dev/null
}

# Keep images and settings in DIRECTORY, apart from whatever podman the machine has in use.
configure_podman() {
  local directory=$1 files processes most
  cat >"$directory/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$directory/store"
runroot = "$directory/run"
CONF
  # What is left of an exec through the API is cleaned away after five minutes, which costs more than the exec itself.
  # Here everything goes at the end.
  # Where limits cannot be raised (no CAP_SYS_RESOURCE), those in force are asked for. runc copes with hybrid
  # control groups, crun does not.
  files=$(ulimit -Hn) processes=$(ulimit -Hu) most=$(cat /proc/sys/kernel/pid_max)
  [[ $files != unlimited ]] || files=1048576
  [[ $processes != unlimited ]] && ((processes < most)) || processes=$most
  cat >"$directory/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=$files:$files", "nproc=$processes:$processes"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
exit_command_delay = 3600
CONF
  export CONTAINERS_STORAGE_CONF=$directory/storage.conf CONTAINERS_CONF=$directory/containers.conf
  unset DOCKER_HOST DOCKER_CONFIG
}

remove_podman() {
  local directory=$1
  podman rm --all --force >/dev/null 2>&1 || true
  podman rmi --all --force >/dev/null 2>&1 || true
  umount -R "$directory/store/overlay" 2>/dev/null || true
}

# Name the machine's own package mirror.
package_mirror() {
  local mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
  [[ $mirror ]] || { apt-get -qq update; package_mirror; return; }
  echo "$mirror"
}

# Make the image NAME:TAG that the Dockerfile starts from, with the machine's own package mirror and CAs.
import_stand_in() {
  local name=$1 mirror
  mirror=$(package_mirror)
  mmdebstrap --quiet --variant=minbase --mode=root --include=python3,python3-venv,python3-pip,ca-certificates \
    --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED "$1"/etc/apt/sources.list' \
    --customize-hook='find "$1"/usr/lib/python3* -name __pycache__ -prune -exec rm -r {} +' \
    --customize-hook='ln -s ../../bin/python3 "$1"/usr/local/bin/python' \
    --customize-hook='ln -s ../../bin/python3 "$1"/usr/local/bin/python3' \
    --customize-hook='ln -s ../../bin/pip3 "$1"/usr/local/bin/pip' \
    --customize-hook='cat /etc/ssl/certs/ca-certificates.crt >"$1"/etc/ssl/certs/ca-certificates.crt' \
    --format=tar trixie - "deb $mirror trixie main" |
    podman import --quiet \
      --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
      --change 'CMD ["python3"]' - "$name" >/dev/null
}
