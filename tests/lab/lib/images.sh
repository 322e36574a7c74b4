# shellcheck shell=bash
# The base images of images.txt: their root file systems are made once and kept as tar files in the cache; the
# engine imports them when it does not have them.

# The rows of the table, all or those whose recipe is among the given ones.
image_rows() {
  awk -v wanted=" $* " '!/^#/ && NF && (wanted == "  " || index(wanted, " " $2 " "))' "$lab_source/images.txt"
}

# Makes the missing archives; `pause` needs the Kubernetes binaries, so it is made apart from the others.
make_base_images() {
  local name recipe packages archive
  while read -r name recipe packages; do
    archive=$(image_archive "$name" "$recipe" "$packages")
    [[ ! -e $archive ]] || continue
    long_step images "making $name" '30 s' "$lab_cache/logs/image-$(file_name_of "$name").log" \
      make_archive "$recipe" "$packages" "$archive"
  done < <(image_rows "$@")
}

# An archive's name has a hash of all it is made from: its row and the function that makes it.
image_archive() {
  local name=$1 recipe=$2 packages=$3 key
  key=$({ echo "$packages"; declare -f "${recipe}_root"; } | sha256sum | head -c 12)
  echo "$lab_cache/images/$(file_name_of "$name")-$key.tar"
}

archive_of() {
  local name recipe packages
  while read -r name recipe packages; do
    [[ $name != "$1" ]] || image_archive "$name" "$recipe" "$packages"
  done < <(image_rows)
}

file_name_of() { tr '/:' '--' <<< "$1"; }

make_archive() {
  local recipe=$1 packages=$2 archive=$3 scratch
  scratch=$(mktemp -d)
  mkdir -p "$(dirname "$archive")"
  "${recipe}_root" "$packages" "$archive.partial" "$scratch"
  rm -rf "$scratch" "${archive%-*}"-????????????.tar
  mv "$archive.partial" "$archive"
}

# Without the files nobody needs in a container, as Debian's own slim images do it: each one costs time on every import.
debian_root() {
  local packages=$1 archive=$2 pattern options=()
  for pattern in '/usr/share/doc/*' '/usr/share/info/*' '/usr/share/lintian/*' '/usr/share/locale/*' '/usr/share/man/*' \
    '/usr/share/bash-completion/*' '/usr/share/cmake-*/Help/*' '/usr/share/go-*/test/*' '/usr/bin/*lto-dump*'; do
    options+=(--dpkgopt="path-exclude=$pattern")
  done
  mmdebstrap --variant=minbase --include="usr-is-merged,$packages" --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    "${options[@]}" --dpkgopt='path-include=/usr/share/doc/*/copyright' --format=tar bookworm "$archive"
}

# As the distroless project does it: unpacked packages, the usual users, the certificates of public authorities.
distroless_root() {
  local packages=$1 archive=$2 scratch=$3 root=$3/root package
  mkdir -p "$root"/{etc/ssl/certs,home/nonroot,root,tmp}
  # shellcheck disable=SC2086 # a list of words
  (cd "$scratch" && apt-get -o APT::Sandbox::User=root download ${packages//,/ })
  for package in "$scratch"/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" --keep-directory-symlink \
      --exclude './usr/share/doc/*' --exclude './usr/share/man/*' --exclude './usr/share/lintian*'
  done
  cat > "$root/etc/passwd" << 'PASSWD'
root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
PASSWD
  printf 'root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n' > "$root/etc/group"
  echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
  tar -xOf "$(archive_of debian:bookworm-slim)" ./etc/ssl/certs/ca-certificates.crt > "$root/etc/ssl/certs/ca-certificates.crt"
  chown 65532:65532 "$root/home/nonroot"
  chmod 700 "$root/home/nonroot" "$root/root"
  chmod 1777 "$root/tmp"
  tar -c --numeric-owner -C "$root" -f "$archive" .
}

busybox_root() {
  local archive=$2 root=$3/root applet
  mkdir -p "$root"/{bin,etc,home,root,tmp,usr,var}
  cp /bin/busybox "$root/bin/busybox"
  for applet in $(/bin/busybox --list); do
    [[ $applet == busybox ]] || ln "$root/bin/busybox" "$root/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n' > "$root/etc/passwd"
  printf 'root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n' > "$root/etc/group"
  chmod 1777 "$root/tmp"
  tar -c --numeric-owner --owner 0 --group 0 -C "$root" -f "$archive" .
}

pause_root() {
  local archive=$2
  tar -c --numeric-owner --owner 0 --group 0 -C "$(kubernetes_binaries)" -f "$archive" pause
}

# The configuration an image is imported with, by recipe and name.
image_config() {
  local name=$1 recipe=$2
  case $recipe in
    distroless)
      printf '%s\n' 'USER 65532' 'WORKDIR /home/nonroot' \
        'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' ;;
    busybox) printf '%s\n' 'ENV PATH=/bin' 'CMD ["sh"]' ;;
    pause) printf '%s\n' 'USER 65535:65535' 'ENTRYPOINT ["/pause"]' ;;
    debian)
      echo 'CMD ["bash"]'
      [[ $name != golang:* ]] || printf '%s\n' 'WORKDIR /go' \
        'ENV GOPATH=/go PATH=/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' ;;
  esac
}

# The label tells which archive an image of the engine was imported from.
readonly image_label=deployctl.lab.archive

missing_images() {
  local name recipe packages have
  have=$(engine_images)
  while read -r name recipe packages; do
    grep -qxF "$name $(basename "$(image_archive "$name" "$recipe" "$packages")")" <<< "$have" || echo "$name $recipe $packages"
  done < <(image_rows "$@")
}

engine_images() {
  engine_api /images/json | jq -r --arg key "$image_label" '
    .[] | select(.Labels[$key]?) | .RepoTags[]? + " " + .Labels[$key]'
}

import_missing_images() {
  local began=$SECONDS name recipe packages count=0
  while read -r name recipe packages; do
    import_image "$name" "$recipe" "$(image_archive "$name" "$recipe" "$packages")"
    count=$((count + 1))
  done < <(missing_images "$@")
  ((count == 0)) || say images "$count imported ($(duration_since "$began"))"
}

import_image() {
  local name=$1 recipe=$2 archive=$3 changes=(--change "LABEL $image_label=$(basename "$3")") change
  while read -r change; do
    changes+=(--change "$change")
  done < <(image_config "$name" "$recipe")
  lab_docker import "${changes[@]}" "$archive" "$name" > /dev/null < /dev/null ||
    fail images "the engine could not import $name from $archive" "$(log_file engine)" "remove $archive and run 'lab up' again"
}
