# Sourced by `prove` here and in .ci/pages: install gitlab-ci-local into .cache, and name it in CFGATE_PROOF_CLIENT.
# Needs Node 20 or newer and npm, and installs rsync where it is missing.

install_client() {
  command -v npm >/dev/null || { echo "the pipelines need npm, with Node 20 or newer" >&2; return 1; }
  if ! command -v rsync >/dev/null; then
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install rsync >/dev/null
  fi
  local client=.cache/gitlab
  mkdir -p "$client"
  cp .ci/gitlab/package.json .ci/gitlab/package-lock.json .ci/definitions/.npmrc "$client/"
  (cd "$client" && npm ci --loglevel=error >/dev/null)
  export CFGATE_PROOF_CLIENT=$PWD/$client/node_modules/.bin/gitlab-ci-local
}
