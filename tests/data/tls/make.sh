#!/bin/sh
# Make the certificates of this folder anew. Needs openssl >= 1.1.1 on the path; see README.md.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

: > "$work/index"
cat > "$work/ca.conf" <<CONF
[ca]
default_ca = test
[test]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
unique_subject = no
policy = any
[any]
commonName = supplied
CONF

# issue NAME NOT_BEFORE NOT_AFTER SIGNER EXTENSION...: make $work/NAME.key and $work/NAME.crt
issue() {
  name=$1 from=$2 to=$3 signer=$4
  shift 4
  openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$work/$name.key"
  printf '%s\n' subjectKeyIdentifier=hash "$@" > "$work/$name.ext"
  openssl req -new -key "$work/$name.key" -subj "/CN=cfgate test $name" -out "$work/$name.csr"
  if [ "$signer" = itself ]; then set -- -selfsign -keyfile "$work/$name.key"
  else set -- -cert "$work/$signer.crt" -keyfile "$work/$signer.key"; fi
  openssl ca -batch -notext -config "$work/ca.conf" "$@" -in "$work/$name.csr" \
    -extfile "$work/$name.ext" -startdate "$from" -enddate "$to" -out "$work/$name.crt"
}

# serve NAME NOT_BEFORE NOT_AFTER SIGNER SUBJECT_ALT_NAME: write NAME.pem, certificate and key, for a server
serve() {
  issue "$1" "$2" "$3" "$4" "subjectAltName=$5" 'authorityKeyIdentifier=keyid' 'basicConstraints=critical,CA:FALSE' \
    'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth'
  cat "$work/$1.crt" "$work/$1.key" > "$1.pem"
}

loopback='DNS:localhost,DNS:api.cfgate.test,IP:127.0.0.1,IP:::1'
then=20200101000000Z
never=21230101000000Z

issue ca $then $never itself 'basicConstraints=critical,CA:TRUE' 'keyUsage=critical,keyCertSign,cRLSign'
cp "$work/ca.crt" ca.pem
serve good $then $never ca "$loopback"
serve expired $then 20210101000000Z ca "$loopback"
serve early 21220101000000Z $never ca "$loopback"
serve elsewhere $then $never ca DNS:elsewhere.cfgate.test
serve self-signed $then $never itself "$loopback"
