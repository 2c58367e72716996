# PowerShell completion for pushctl
# Generated from the commands by `python3 dev.py generate`; do not edit.

Register-ArgumentCompleter -Native -CommandName pushctl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $below = @{
        '' = @('demo', 'send', 'explain', 'check', 'tokens', 'runs', 'completion', 'help', 'simulate')
        'tokens' = @('check')
        'runs' = @('list', 'show', 'resume', 'check', 'prune')
    }
    $options = @{
        '' = @('--version', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'demo' = @('--folder', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'send' = @('--token', '--platform', '--profiles', '--profile', '--tokens', '--format', '--fcm-topic', '--fcm-condition', '--where', '--suppress', '--title', '--subtitle', '--body', '--badge', '--sound', '--image', '--data', '--collapse-id', '--ttl', '--priority', '--push-type', '--thread-id', '--category', '--message', '--payload', '--credential', '--campaign', '--dry-run', '--validate-only', '--concurrency', '--connections', '--rate', '--retry-for', '--timeout', '--on-unknown', '--stop-if', '--canary', '--bounce-log', '--bounce-log-max-size', '--mask-tokens', '--run', '--max-duration', '--keep-duplicates', '--allow-endpoint', '--yes', '--confirm', '--output', '--fail-on', '--fail-if-empty', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'explain' = @('--search', '--service', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'check' = @('--offline', '--fail-on', '--timeout', '--allow-endpoint', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'tokens' = @('--help')
        'tokens check' = @('--format', '--platform', '--message', '--require-consent', '--lines', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'runs' = @('--help')
        'runs list' = @('--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'runs show' = @('--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'runs resume' = @('--retry-failed', '--on-unknown', '--output', '--fail-on', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'runs check' = @('--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'runs prune' = @('--older-than', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'completion' = @('--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'help' = @('--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'simulate' = @('--port', '--host', '--folder', '--environment', '--topic', '--key-file', '--key-id', '--team-id', '--service-account', '--answer', '--delay', '--max-streams', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
    }
    $values = @{
        '*:--token' = 'any'
        '*:--platform' = 'any'
        '*:--profile' = 'any'
        '*:--format' = 'any'
        '*:--fcm-topic' = 'any'
        '*:--fcm-condition' = 'any'
        '*:--where' = 'any'
        '*:--title' = 'any'
        '*:--subtitle' = 'any'
        '*:--body' = 'any'
        '*:--badge' = 'any'
        '*:--sound' = 'any'
        '*:--image' = 'any'
        '*:--data' = 'any'
        '*:--collapse-id' = 'any'
        '*:--ttl' = 'any'
        '*:--priority' = 'any'
        '*:--push-type' = 'any'
        '*:--thread-id' = 'any'
        '*:--category' = 'any'
        '*:--campaign' = 'any'
        '*:--concurrency' = 'any'
        '*:--connections' = 'any'
        '*:--rate' = 'any'
        '*:--retry-for' = 'any'
        '*:--timeout' = 'any'
        '*:--on-unknown' = 'any'
        '*:--stop-if' = 'any'
        '*:--canary' = 'any'
        '*:--bounce-log-max-size' = 'any'
        '*:--run' = 'any'
        '*:--max-duration' = 'any'
        '*:--allow-endpoint' = 'any'
        '*:--confirm' = 'any'
        'send:-o' = 'any'
        'explain:-o' = 'any'
        'tokens check:-o' = 'any'
        'runs list:-o' = 'any'
        'runs show:-o' = 'any'
        'runs resume:-o' = 'any'
        'simulate:-o' = 'any'
        'send:--output' = 'any'
        'explain:--output' = 'any'
        'tokens check:--output' = 'any'
        'runs list:--output' = 'any'
        'runs show:--output' = 'any'
        'runs resume:--output' = 'any'
        'simulate:--output' = 'any'
        'send:--fail-on' = 'any'
        'runs resume:--fail-on' = 'any'
        '*:--search' = 'any'
        '*:--lines' = 'any'
        '*:--older-than' = 'any'
        '*:--port' = 'any'
        '*:--host' = 'any'
        '*:--topic' = 'any'
        '*:--key-id' = 'any'
        '*:--team-id' = 'any'
        '*:--answer' = 'any'
        '*:--delay' = 'any'
        '*:--max-streams' = 'any'
        '*:--credential' = 'credentials'
        '*:--config' = 'file'
        '*:--profiles' = 'file'
        '*:--tokens' = 'file'
        '*:--suppress' = 'file'
        '*:--message' = 'file'
        '*:--payload' = 'file'
        '*:--bounce-log' = 'file'
        '*:--key-file' = 'file'
        '*:--service-account' = 'file'
        '*:--folder' = 'folder'
        '*:--service' = 'words apns fcm google oauth pushctl'
        '*:--color' = 'words auto always never'
        '*:--progress' = 'words auto plain never'
        'check:--fail-on' = 'words fail warn'
        '*:--environment' = 'words production sandbox'
        'check:-o' = 'words table json junit github'
        'check:--output' = 'words table json junit github'
    }
    $arguments = @{
        'explain' = 'reasons'
        'check' = 'credentials'
        'tokens check' = 'any'
        'runs show' = 'runs'
        'runs resume' = 'runs'
        'runs check' = 'runs'
        'completion' = 'words bash zsh fish powershell'
        'help' = 'any'
    }
    $reasons = @('ACCESS_TOKEN_EXPIRED', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT', 'ACCESS_TOKEN_TYPE_UNSUPPORTED', 'ACCOUNT_STATE_INVALID', 'ALREADY_EXISTS', 'BILLING_DISABLED', 'BadAuthorizationHeader', 'BadCertificate', 'BadCertificateEnvironment', 'BadChannelId', 'BadCollapseId', 'BadDate', 'BadDeviceToken', 'BadEnvironmentKeyIdInToken', 'BadExpirationDate', 'BadJwtToken', 'BadMessageId', 'BadPath', 'BadPriority', 'BadProviderToken', 'BadRequestParams', 'BadRequestPayload', 'BadTopic', 'BadTtl', 'BadUrgency', 'BadVapidPublicKey', 'BadWebPushRequest', 'BadWebPushTopic', 'CONSUMER_INVALID', 'CONSUMER_SUSPENDED', 'CREDENTIALS_MISSING', 'CannotCreateChannelConfig', 'ChannelNotRegistered', 'ConnectionLost', 'CredentialsRefused', 'DEADLINE_EXCEEDED', 'DeviceTokenNotForTopic', 'Duplicate', 'DuplicateHeaders', 'ExpiredProviderToken', 'ExpiredToken', 'FAILED_PRECONDITION', 'FeatureNotEnabled', 'Forbidden', 'GCP_SUSPENDED', 'IAM_PERMISSION_DENIED', 'INTERNAL', 'INVALID_ARGUMENT', 'IdleTimeout', 'InternalServerError', 'Interrupted', 'InvalidProviderToken', 'InvalidPushType', 'InvalidToken', 'JWT_TOKEN_INVALID', 'MethodNotAllowed', 'MissingAttribute', 'MissingChannelId', 'MissingChannelQueueSize', 'MissingDeviceToken', 'MissingProviderToken', 'MissingPushType', 'MissingToken', 'MissingTopic', 'NOT_FOUND', 'NoAnswer', 'NoConsent', 'NoCredential', 'NotInSegment', 'NotProcessed', 'NotReached', 'OUT_OF_RANGE', 'PERMISSION_DENIED', 'PayloadEmpty', 'PayloadTooLarge', 'QUOTA_EXCEEDED', 'RATE_LIMIT_EXCEEDED', 'RESOURCE_EXHAUSTED', 'RESOURCE_QUOTA_EXCEEDED', 'SECURITY_POLICY_VIOLATED', 'SENDER_ID_MISMATCH', 'SERVICE_DISABLED', 'ServiceUnavailable', 'Shutdown', 'Stopped', 'Suppressed', 'THIRD_PARTY_AUTH_ERROR', 'TooManyProviderTokenUpdates', 'TooManyRequests', 'TopicDisallowed', 'TopicMismatch', 'UNAUTHENTICATED', 'UNAVAILABLE', 'UNREGISTERED', 'UNSPECIFIED_ERROR', 'USER_PROJECT_DENIED', 'Unregistered', 'UnrelatedKeyIdInToken', 'VapidPkHashMismatch', 'account_not_found', 'alpn_no_h2', 'bad_audience', 'bad_signature', 'clock_or_lifetime', 'connect_refused_or_timeout', 'deleted_client', 'disabled_client', 'empty_scope', 'exp_missing', 'goaway_before_any_request', 'goaway_with_reason', 'iat_missing', 'invalid_client', 'malformed_assertion', 'non_json_error_body', 'policy', 'refresh_token_revoked', 'response_timeout', 'server_side', 'stream_reset', 'tls_client_cert_rejected', 'tls_verify_failed', 'unauthorized_client', 'unknown_scope_gives_id_token', 'unsupported_grant')

    function Find-Kind($at, $name) {
        if ($values.ContainsKey("*:$name")) { return $values["*:$name"] }
        return $values["${at}:$name"]
    }

    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition -or $wordToComplete -eq '' } |
        Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
    $at = ''
    $waiting = $null
    foreach ($word in $words) {
        if ($waiting) { $waiting = $null; continue }
        if ($word -like '--*=*') { continue }
        if ($word -like '-*') {
            if (Find-Kind $at $word) { $waiting = $word }
            continue
        }
        if ($below[$at] -ccontains $word) { $at = "$at $word".Trim() }
    }

    $front = ''
    $begun = $wordToComplete
    $kind = $null
    if ($waiting) {
        $kind = Find-Kind $at $waiting
    } elseif ($begun -like '--*=*') {
        $name, $begun = $begun -split '=', 2
        $front = "$name="
        $kind = Find-Kind $at $name
    } elseif ($begun -like '-*') {
        $found = $options[$at]
    } elseif ($below.ContainsKey($at)) {
        $found = $below[$at]
    } else {
        $kind = $arguments[$at]
    }
    if ($kind) {
        $found = switch -Wildcard ($kind) {
            'words *' { $kind.Substring(6) -split ' ' }
            'reasons' { $reasons }
            'credentials' { & pushctl __complete credentials $words 2>$null }
            'runs' { & pushctl __complete runs $words 2>$null }
        }
    }
    # Nothing found: PowerShell offers files.
    $found | Where-Object { $_ -and $_.StartsWith($begun, 'Ordinal') } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new("$front$_", $_, 'ParameterValue', $_)
    }
}
