# Sourced by .ci/container/prove: install gitlab-ci-local into .cache, and name it in CFGATE_PROOF_CLIENT.
# Needs Node 20 or newer, npm and rsync.

install_client() {
  command -v npm >/dev/null || { echo "the pipelines need npm, with Node 20 or newer" >&2; return 1; }
  local client=.cache/gitlab
  mkdir -p "$client"
  cp .ci/gitlab/package.json .ci/gitlab/package-lock.json .ci/definitions/.npmrc "$client/"
  (cd "$client" && npm ci --loglevel=error >/dev/null)
  export CFGATE_PROOF_CLIENT=$PWD/$client/node_modules/.bin/gitlab-ci-local
}
